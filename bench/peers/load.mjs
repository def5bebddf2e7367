// Load on one address, by autocannon: reads the job from standard input, writes what came of it. Every answer of status 200 is compared.
import { text } from "node:stream/consumers";
import autocannon from "autocannon";

const { url, connections, duration, headers, body, expected } = JSON.parse(await text(process.stdin));
const statuses = {};
let mismatches = 0;
const onResponse = (status, given) => {
  statuses[status] = (statuses[status] ?? 0) + 1;
  if (status === 200 && given !== expected) mismatches++;
};
const request = { method: "POST", headers, body: Buffer.from(body, "base64"), onResponse };
const { requests, latency, errors, timeouts } = await autocannon({ url, connections, duration, requests: [request] });
const { average: rate } = requests;
const { p50, p99 } = latency;
const result = { rate, latency: { p50, p99 }, statuses, errors: errors + timeouts, mismatches };
process.stdout.write(JSON.stringify(result));
