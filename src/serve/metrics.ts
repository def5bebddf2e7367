// Counts and times of a service in Prometheus' text format.
// https://prometheus.io/docs/instrumenting/exposition_formats/

type Labels = Readonly<Record<string, string>>;

/** Upper bounds in seconds, from what a small model takes to what a queue may. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Times of one set of labels: how many lie below each bound, and beyond the last one. */
interface Times {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
}

interface Series {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly values: Map<string, number>;
  readonly times: Map<string, Times>;
}

/** The numbers of one service. */
export class Metrics {
  readonly #series = new Map<string, Series>();

  add(name: string, help: string, labels: Labels, by = 1): void {
    const { values } = this.#get(name, "counter", help);
    const key = shown(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  set(name: string, help: string, labels: Labels, value: number): void {
    this.#get(name, "gauge", help).values.set(shown(labels), value);
  }

  /** @param seconds counted into buckets */
  observe(name: string, help: string, labels: Labels, seconds: number): void {
    const { times } = this.#get(name, "histogram", help);
    const key = shown(labels);
    const found = times.get(key) ?? { labels, counts: Array(BUCKETS.length + 1).fill(0), sum: 0 };
    times.set(key, found);
    const at = BUCKETS.findIndex((bound) => seconds <= bound);
    found.counts[at < 0 ? BUCKETS.length : at]++;
    found.sum += seconds;
  }

  toString(): string {
    const lines = [...this.#series].flatMap(([name, { kind, help, values, times }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${kind}`,
      ...[...values].map(([key, value]) => `${name}${key} ${value}`),
      ...[...times.values()].flatMap((each) => histogram(name, each)),
    ]);
    return lines.map((line) => `${line}\n`).join("");
  }

  #get(name: string, kind: Series["kind"], help: string): Series {
    const known = this.#series.get(name) ?? { kind, help, values: new Map(), times: new Map() };
    this.#series.set(name, known);
    return known;
  }
}

/** Buckets hold all below their bound. */
function histogram(name: string, { labels, counts, sum }: Times): string[] {
  let below = 0;
  const buckets = counts.map((count, i) => {
    below += count;
    const le = i < BUCKETS.length ? String(BUCKETS[i]) : "+Inf";
    return `${name}_bucket${shown({ ...labels, le })} ${below}`;
  });
  return [...buckets, `${name}_sum${shown(labels)} ${sum}`, `${name}_count${shown(labels)} ${below}`];
}

function shown(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (character: string): string => (character === "\n" ? "\\n" : `\\${character}`);
