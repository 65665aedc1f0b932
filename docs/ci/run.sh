#!/usr/bin/env bash
# vsock-conformance in CI: runs cases, stores the report in several formats, and exits with the
# run's exit code. Run it in a clone of the tool; it needs Node.js, and for the lab apt with Debian
# sources.
#
#   docs/ci/run.sh [lab options and cases]         runs cases on a host and a guest that the lab boots
#   AGENT=192.0.2.7:5201 PEER_CID=3 docs/ci/run.sh [run options and cases]
#                                                  runs cases between this machine and a guest of
#                                                  yours in which "agent --peer-cid 2" is waiting;
#                                                  needs root if the module is not loaded yet
#                                                  (VSOCK_CONFORMANCE_TOKEN holds the agent's token,
#                                                  if it requires one)
#   WIRE=host docs/ci/run.sh [options and cases of "wire host"]
#                                                  tries this machine's own kernel as a host, with no
#                                                  VM; needs root
#
# OUT is the folder for reports (default: reports). BEFORE is the JSON report of an earlier run to
# compare with. Paths are relative to the clone.
set -uo pipefail
cd "$(dirname "$0")/../.."

readonly DENO=deno@2.9.6
readonly OUT=${OUT:-reports}

tool() {
	npx -y "$DENO" run -A cli.ts "$@"
}

mkdir -p "$OUT" || exit 2
rm -f "$OUT"/run.* "$OUT"/diff.txt

if [[ -n ${AGENT:-} ]]; then
	if [[ -z ${PEER_CID:-} ]]; then
		echo "run.sh: give the CID of the guest: PEER_CID=3" >&2
		exit 2
	fi
	[[ -c /dev/vhost-vsock ]] || modprobe vhost_vsock || exit 69
	command=(run --agent "$AGENT" --peer-cid "$PEER_CID")
elif [[ ${WIRE:-} == host ]]; then
	[[ -c /dev/vhost-vsock ]] || modprobe vhost_vsock || exit 69
	command=(wire host)
else
	# Without access to /dev/kvm the lab's VMs are emulated (TCG), which takes longer.
	[[ -w /dev/kvm ]] || echo "run.sh: /dev/kvm is not writable" >&2
	command=(lab)
fi

# The report is written however the run ends, including by a signal or when a machine is lost.
tool "${command[@]}" \
	--report json="$OUT/run.json" \
	--report junit="$OUT/run.xml" \
	--report ktap="$OUT/run.ktap" \
	--report html="$OUT/run.html" \
	"$@"
code=$?

if [[ ! -s $OUT/run.json ]]; then
	echo "run.sh: the run left no report" >&2
	exit "$code"
fi
if [[ -n ${GITHUB_ACTIONS:-} ]]; then
	tool report github "$OUT/run.json"
	tool report markdown "$OUT/run.json" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
if [[ -n ${BEFORE:-} ]]; then
	# For information only: the exit code is that of the run itself.
	tool report diff "$BEFORE" "$OUT/run.json" | tee "$OUT/diff.txt"
fi
exit "$code"
