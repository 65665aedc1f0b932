/**
 * Wilcoxon's signed-rank test: whether differences of pairs lie on one side of zero more than chance
 * would have it. It asks nothing of their distribution but that it is symmetric.
 *
 * @module
 */

/** How likely it is by chance alone that differences lie as they do, or further to one side. */
export interface SignedRank {
  /** Further to the side of less. */
  readonly less: number;
  /** Further to the side of more. */
  readonly more: number;
  /** Further to either side. */
  readonly either: number;
}

/** Up to as many differences all ways to give them signs are counted; the sums of more are normal. */
const MAX_EXACT = 60;

/** Tests differences. Those of zero say nothing, and are left out. */
export function signedRank(differences: readonly number[]): SignedRank {
  const told = differences.filter((difference) => difference !== 0);
  // Twice the ranks: the mean of two neighbours is a whole number then.
  const ranks = doubledRanks(told.map(Math.abs));
  const sum = told.reduce((sum, difference, i) => difference > 0 ? sum + (ranks[i] ?? 0) : sum, 0);
  const [less, more] = told.length > MAX_EXACT ? normalTails(ranks, sum) : exactTails(ranks, sum);
  return { less, more, either: Math.min(1, 2 * Math.min(less, more)) };
}

/** Twice the rank of each value; equal ones share the mean of theirs. */
function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** Of all ways to give the ranks signs, the share whose positive ones sum up to at most, at least. */
function exactTails(ranks: readonly number[], sum: number): [number, number] {
  const total = ranks.reduce((all, rank) => all + rank, 0);
  let shares = new Float64Array(total + 1);
  shares[0] = 1;
  for (const rank of ranks) {
    const next = shares.map((share) => share / 2);
    for (let at = rank; at <= total; at++) {
      next[at] = (next[at] ?? 0) + (shares[at - rank] ?? 0) / 2;
    }
    shares = next;
  }
  const add = (part: Float64Array) => part.reduce((all, share) => all + share, 0);
  return [add(shares.subarray(0, sum + 1)), add(shares.subarray(sum))];
}

function normalTails(ranks: readonly number[], sum: number): [number, number] {
  const mean = ranks.reduce((all, rank) => all + rank, 0) / 2;
  const deviation = Math.sqrt(ranks.reduce((all, rank) => all + rank ** 2, 0) / 4);
  // Half of a (doubled) rank towards the middle, since sums are whole and the curve is not.
  return [normal((sum + 1 - mean) / deviation), normal((mean - sum + 1) / deviation)];
}

/** The share of a normal distribution below `z`: Abramowitz and Stegun 7.1.26, to 1.5e-7. */
function normal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const tail = terms.reduce((sum, term) => sum * t + term, 0) * t * Math.exp(-(x ** 2)) / 2;
  return z < 0 ? tail : 1 - tail;
}
