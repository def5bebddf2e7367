// A worker of pool.ts: the service, made when the first request comes.
import { BroadcastChannel } from "node:worker_threads";
import type { Answer } from "../serve/call.js";
import { CHANNEL, type PoolCall } from "./pool.js";
import { service } from "./service.js";

let serving: ReturnType<typeof service> | undefined;

const channel = new BroadcastChannel(CHANNEL);
channel.unref();
channel.onmessage = async () => (await serving)?.reload();

export default async function answer({ service: options, body, ...call }: PoolCall): Promise<Answer> {
  serving ??= service(options);
  const { serve } = await serving;
  return serve.answer({
    ...call,
    header: (name) => [call.headers[name.toLowerCase()]].flat().join(", ") || undefined,
    body: async () => body ?? new Uint8Array(),
    isGone: false,
    get request() {
      return new Request(`http://localhost${call.path}`, { method: call.method });
    },
  });
}
