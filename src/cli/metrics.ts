// Prometheus' numbers of several workers, as those of one server.
import { BroadcastChannel, threadId } from "node:worker_threads";

const CHANNEL = "lanewise: metrics";

/** Milliseconds that a worker has to tell its numbers. Of one that predicts for longer the last ones count. */
const PATIENCE = 1000;

type Message = { readonly ask: number } | { readonly asked: number; readonly thread: number; readonly text: string };

/** What the server knows of its workers. */
export class WorkerMetrics {
  readonly #workers: number;
  readonly #channel = new BroadcastChannel(CHANNEL);
  /** By thread. Threads that are gone count on: counters never fall. */
  readonly #known = new Map<number, string>();
  readonly #waiting = new Map<number, () => void>();
  #asked = 0;

  constructor(workers: number) {
    this.#workers = workers;
    this.#channel.onmessage = (event) => {
      const { data } = event as { data: Message };
      if ("ask" in data) return;
      this.#known.set(data.thread, data.text);
      this.#waiting.get(data.asked)?.();
    };
    this.#channel.unref(); // after the listener, which holds the process
  }

  /** The numbers of every worker. */
  async texts(): Promise<string[]> {
    const ask = this.#asked++;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      let left = this.#workers;
      this.#waiting.set(ask, () => {
        left--;
        if (left > 0) return;
        clearTimeout(timer);
        resolve();
      });
      this.#channel.postMessage({ ask } satisfies Message);
    });
    this.#waiting.delete(ask);
    return [...this.#known.values()];
  }
}

/** Has a worker tell its numbers when it is asked. @param text what it has, "" before its first call */
export function tell(text: () => Promise<string>): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = async (event) => {
    const { data } = event as { data: Message };
    if (!("ask" in data)) return;
    channel.postMessage({ asked: data.ask, thread: threadId, text: await text() } satisfies Message);
  };
  channel.unref();
}

/** Several texts as one: numbers of the same name and labels are added up, those of one name stay together. */
export function added(texts: readonly string[]): string {
  const families = new Map<string, Map<string, number>>();
  for (const text of texts) {
    let numbers = new Map<string, number>();
    let head = "";
    for (const line of text.split("\n").filter(Boolean)) {
      if (line.startsWith("# HELP")) head = line;
      else if (line.startsWith("# TYPE")) {
        numbers = families.get(`${head}\n${line}`) ?? new Map();
        families.set(`${head}\n${line}`, numbers);
      } else {
        const at = line.lastIndexOf(" ");
        const key = line.slice(0, at);
        numbers.set(key, (numbers.get(key) ?? 0) + Number(line.slice(at)));
      }
    }
  }
  const lines = [...families].flatMap(([head, numbers]) => [head, ...[...numbers].map((pair) => pair.join(" "))]);
  return lines.map((line) => `${line}\n`).join("");
}
