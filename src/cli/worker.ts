// A worker of pool.ts: the service, made when the first request comes, to this worker or another.
import { BroadcastChannel } from "node:worker_threads";
import { type Answer, headerOf } from "../serve/call.js";
import { tell } from "./metrics.js";
import { CHANNEL, type PoolCall, type Reload } from "./pool.js";
import { type Service, type ServiceOptions, service } from "./service.js";

const channel = new BroadcastChannel(CHANNEL);
channel.unref();

let begun: Promise<Service> | undefined;

function serving(options: ServiceOptions): Promise<Service> {
  begun ??= service(options, (model) => channel.postMessage({ service: options, model } satisfies Reload));
  return begun;
}

channel.onmessage = (message) => {
  const { service: options, model } = (message as { data: Reload }).data;
  serving(options).then(
    ({ reload }) => reload(model),
    () => {}, // requests are told
  );
};

tell(async () => (await begun)?.serve.metrics() ?? "");

export default async function answer({ service: options, body, ...call }: PoolCall): Promise<Answer> {
  const { serve } = await serving(options);
  return serve.answer({
    ...call,
    header: (name) => headerOf(call, name),
    body: async () => body ?? new Uint8Array(),
    isGone: false,
    get request() {
      return new Request(`http://localhost${call.path}`, { method: call.method });
    },
  });
}
