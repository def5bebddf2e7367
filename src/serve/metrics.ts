// Counts and times of a service in Prometheus' text format.
// https://prometheus.io/docs/instrumenting/exposition_formats/

type Labels = Readonly<Record<string, string>>;

/** Upper bounds in seconds, from what a small model takes to what a queue may. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Series {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly values: Map<string, number>;
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
    const { values } = this.#get(name, "histogram", help);
    const count = (suffix: string, extra: Labels, by: number) => {
      const key = `${suffix}${shown({ ...labels, ...extra })}`;
      values.set(key, (values.get(key) ?? 0) + by);
    };
    for (const bound of BUCKETS) count("_bucket", { le: String(bound) }, seconds <= bound ? 1 : 0);
    count("_bucket", { le: "+Inf" }, 1);
    count("_sum", {}, seconds);
    count("_count", {}, 1);
  }

  toString(): string {
    const lines = [...this.#series].flatMap(([name, { kind, help, values }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${kind}`,
      ...[...values].map(([key, value]) => `${name}${key} ${value}`),
    ]);
    return lines.map((line) => `${line}\n`).join("");
  }

  #get(name: string, kind: Series["kind"], help: string): Series {
    const known = this.#series.get(name) ?? { kind, help, values: new Map() };
    this.#series.set(name, known);
    return known;
  }
}

function shown(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (character: string): string => (character === "\n" ? "\\n" : `\\${character}`);
