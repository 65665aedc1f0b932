import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { Epoll, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "./epoll.ts";
import { SHUT_WR } from "./constants.ts";
import { bytes } from "./structs.ts";

Deno.test("epoll by level tells of data until it is read, by edge once", async () => {
  using pair = await connectedPair("stream");
  using level = Epoll.open();
  using edge = Epoll.open();
  level.add(pair.server, EPOLLIN);
  edge.add(pair.server, EPOLLIN | EPOLLET);
  assert.deepEqual(await level.wait(0), []);
  await pair.client.send(bytes(1));
  const told = [{ fd: pair.server.fd, events: EPOLLIN }];
  for (let i = 0; i < 2; i++) assert.deepEqual(await level.wait(1000), told);
  assert.deepEqual(await edge.wait(1000), told);
  assert.deepEqual(await edge.wait(0), []);
  await pair.server.recv(bytes(1));
  assert.deepEqual(await level.wait(0), []);
});

Deno.test("epoll tells of several descriptors, each with its own events", async () => {
  using pair = await connectedPair("stream");
  using epoll = Epoll.open();
  epoll.add(pair.client, EPOLLOUT);
  epoll.add(pair.server, EPOLLRDHUP);
  pair.client.shutdown(SHUT_WR);
  const events = new Map((await epoll.wait(1000)).map(({ fd, events }) => [fd, events]));
  assert.equal(events.get(pair.client.fd), EPOLLOUT);
  assert.equal(events.get(pair.server.fd), EPOLLRDHUP);
  epoll.modify(pair.client, EPOLLIN);
  epoll.remove(pair.server);
  assert.deepEqual(await epoll.wait(0), []);
  assert.throws(() => epoll.remove(pair.server), /ENOENT/);
});
