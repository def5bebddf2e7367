// A worker of pool.ts: the service, made when the first request comes.
import { BroadcastChannel } from "node:worker_threads";
import { CHANNEL, type PoolAnswer, type PoolRequest } from "./pool.js";
import { service } from "./service.js";

let serving: ReturnType<typeof service> | undefined;

const channel = new BroadcastChannel(CHANNEL);
channel.unref();
channel.onmessage = async () => (await serving)?.reload();

export default async function answer({ service: options, url, body, ...init }: PoolRequest): Promise<PoolAnswer> {
  serving ??= service(options);
  const { fetch } = await serving;
  const headers = init.headers.map(([name, value]): [string, string] => [name, value]);
  const given = body as Uint8Array<ArrayBuffer> | undefined;
  let request: Request;
  try {
    request = new Request(url, { method: init.method, headers, ...(given && { body: given }) });
  } catch (error) {
    // A method or an address that HTTP has and fetch has not.
    const text = JSON.stringify({ error: `expected another request: ${(error as Error).message}` });
    return { status: 400, headers: [["content-type", "application/json"]], body: new TextEncoder().encode(text) };
  }
  const response = await fetch(request);
  return {
    status: response.status,
    headers: [...response.headers],
    body: new Uint8Array(await response.arrayBuffer()),
  };
}
