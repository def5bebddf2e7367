// A worker of pool.ts: the service, made when the first request comes.
import type { PoolAnswer, PoolRequest } from "./pool.js";
import { service } from "./service.js";

let serving: ReturnType<typeof service> | undefined;

export default async function answer({ service: options, url, body, ...init }: PoolRequest): Promise<PoolAnswer> {
  serving ??= service(options);
  const { fetch } = await serving;
  const headers = init.headers.map(([name, value]): [string, string] => [name, value]);
  const given = body as Uint8Array<ArrayBuffer> | undefined;
  const response = await fetch(new Request(url, { method: init.method, headers, ...(given && { body: given }) }));
  return {
    status: response.status,
    headers: [...response.headers],
    body: new Uint8Array(await response.arrayBuffer()),
  };
}
