// examples/kserve without a cluster: the manifest has the fields of KServe's v1beta1 API and no others, and the server starts with the image's
// command and the manifest's arguments, and answers its probes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { folderStore, publish } from "../../src/serve/index.js";
import { folder, serving } from "../cli/command.js";
import { small, x } from "./service.js";

const read = (name: string) => readFileSync(new URL(`../../examples/kserve/${name}`, import.meta.url), "utf8");
const home = folder();

/** https://kserve.github.io/website/docs/reference/crd-api: InferenceService, PredictorSpec and Kubernetes' Container, as far as they are used. */
const name = v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const quantity = v.pipe(v.string(), v.regex(/^\d+(\.\d+)?(m|[KMGT]i?)?$/));
const resources = v.strictObject({ cpu: quantity, memory: quantity });
const probe = v.strictObject({
  httpGet: v.strictObject({ path: v.pipe(v.string(), v.startsWith("/")), port: count }),
  periodSeconds: v.optional(count),
});
const container = v.strictObject({
  name: v.literal("kserve-container"), // what KServe looks for
  image: v.string(),
  args: v.array(v.string()),
  env: v.array(v.strictObject({ name: v.string(), value: v.string() })),
  ports: v.array(
    v.strictObject({
      name: v.picklist(["http1", "h2c", "user-port"]), // Knative's
      containerPort: v.pipe(count, v.minValue(1), v.maxValue(65535)),
      protocol: v.literal("TCP"),
    }),
  ),
  readinessProbe: probe,
  livenessProbe: probe,
  resources: v.strictObject({ requests: resources, limits: resources }),
});
const inferenceService = v.strictObject({
  apiVersion: v.literal("serving.kserve.io/v1beta1"),
  kind: v.literal("InferenceService"),
  metadata: v.strictObject({ name, labels: v.optional(v.record(v.string(), v.string())) }),
  spec: v.strictObject({
    predictor: v.strictObject({
      minReplicas: count,
      maxReplicas: count,
      scaleMetric: v.picklist(["concurrency", "rps", "cpu", "memory"]),
      scaleTarget: count,
      timeout: count,
      containers: v.pipe(v.array(container), v.length(1)),
    }),
  }),
});

const manifest = () => v.parse(inferenceService, parse(read("inferenceservice.yaml")));

test("the manifest has KServe's fields, and no others", () => {
  const { predictor } = manifest().spec;
  expect(predictor.minReplicas).toBeLessThanOrEqual(predictor.maxReplicas);
  const wrong = parse(read("inferenceservice.yaml").replace("minReplicas", "minReplica"));
  expect(v.safeParse(inferenceService, wrong).success).toBe(false);
});

test("the image's command serves a store and answers the probes", async () => {
  const [entry, command] = ["ENTRYPOINT", "CMD"].map((word) => {
    const list = new RegExp(`^${word} (\\[.*\\])$`, "m").exec(read("Dockerfile"))?.[1];
    return JSON.parse(list ?? "null") as string[];
  });
  expect(entry).toEqual(["node_modules/.bin/lanewise", "serve"]);
  const [{ args, ports, readinessProbe, livenessProbe }] = manifest().spec.predictor.containers;
  expect(args.slice(0, command.length)).toEqual(command);
  const port = args[args.indexOf("--port") + 1];
  expect(read("Dockerfile")).toContain(`EXPOSE ${port}\n`);
  for (const said of [ports[0].containerPort, readinessProbe.httpGet.port, livenessProbe.httpGet.port])
    expect(String(said)).toBe(port);

  const store = join(home, "models");
  await publish(folderStore(store), "digits", await small());
  // The same arguments, but for the folder, and a port that is free here.
  const given = args.map((each) => (each === "/mnt/models" ? store : each === "0.0.0.0" ? "127.0.0.1" : each));
  const server = await serving(...given.filter((_, i) => i !== args.indexOf("--port") && args[i - 1] !== "--port"));
  for (const { httpGet } of [readinessProbe, livenessProbe])
    expect((await fetch(server.url + httpGet.path)).status).toBe(200);
  const init = { method: "POST", body: JSON.stringify({ inputs: [x(2)] }) };
  expect((await fetch(`${server.url}/v2/models/digits/infer`, init)).status).toBe(200);
  expect(await server.end("SIGTERM")).toBe(0);
});
