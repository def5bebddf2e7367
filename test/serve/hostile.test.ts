// Hostile requests, as bytes on sockets, to `lanewise serve` in a process of its own: each gets a clear refusal where HTTP allows one, the
// server goes on, and keeps nothing of it.
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodes } from "../../scripts/nodes.mjs";
import { save } from "../../src/index.js";
import { folder, type Server, servingOn } from "../cli/command.js";
import { type Answer, chunked, dial, head, type Part, post, send } from "./raw.js";
import { small, x } from "./service.js";

const home = folder();
const infer = "/v2/models/small/infer";
const good = JSON.stringify({ inputs: [x(1)] });
const withShape = (shape: string) => good.replace("[1,4]", shape);
const withData = (data: string) => good.replace(/\[0,0.125[^\]]*\]/, data);
const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));
const bytesAfter = (more: object, bytes: number) => {
  const { data: _, ...bare } = x(1);
  const json = JSON.stringify({ inputs: [{ ...bare, parameters: { binary_data_size: bytes }, ...more }] });
  return post(infer, json + "\0".repeat(bytes), [`Inference-Header-Content-Length: ${json.length}`]);
};

/** What is sent, and the answer: its status and what its error says. `closes`: the client has to end it as well. */
type Case = [name: string, sent: Part | Part[], status: number | undefined, error?: string | RegExp, end?: "half"];

const http: Case[] = [
  ["a header of 100 KB", head("GET", "/v2", [`X: ${"a".repeat(1e5)}`]), 431, "expected headers of at most 16384 bytes"],
  [
    "5,000 headers",
    head(
      "GET",
      "/v2",
      many(5000, (i) => `a${i}: b`),
    ),
    431,
    "expected headers of at most 16384 bytes",
  ],
  ["an address of 20 KB", head("GET", `/${"a".repeat(2e4)}`), 431, "expected headers of at most 16384 bytes"],
  ["no Host", "GET /v2 HTTP/1.1\r\n\r\n", 400, "expected a valid address: there is no Host header"],
  ["an empty Host", "GET /v2 HTTP/1.1\r\nHost:\r\n\r\n", 400, "expected a valid address: there is no Host header"],
  ["a Host that is an address", "GET / HTTP/1.1\r\nHost: a/b?\r\n\r\n", 400, /^expected a valid address/],
  ["a Host of two words", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, /^expected a valid address/],
  ["no version of HTTP", "GET /v2\r\n\r\n", 400, "expected a valid address: there is no Host header"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, /^expected a request in HTTP\/1.1, got/],
  ["HTTP/9.9", "GET / HTTP/9.9\r\n\r\n", 400, /^expected a request in HTTP\/1.1, got/],
  ["TLS", Buffer.from("16030100a5010000a10303", "hex"), 400, /^expected a request in HTTP\/1.1, got/],
  ["zeros", Buffer.alloc(1000), 400, /^expected a request in HTTP\/1.1, got/],
  ["a method that there is not", head("BREW", "/v2"), 400, /^expected a request in HTTP\/1.1, got/],
  ["a header without a name", head("GET", "/v2", [": b"]), 400, /^expected a request in HTTP\/1.1, got/],
  ["a header with a zero byte", head("GET", "/v2", ["a: \0"]), 400, /^expected a request in HTTP\/1.1, got/],
  ["headers on two lines", head("GET", "/v2", ["a: b", " c"]), 400, /^expected a request in HTTP\/1.1, got/],
  ["headers named as properties", head("GET", "/v2/health/live", ["__proto__: x", "constructor: y"]), 200],
  ["CONNECT", head("CONNECT", "example.org:443"), 405, "there is no CONNECT"],
  ["an expectation", head("GET", "/v2", ["Expect: more"]), 417, 'expected "Expect: 100-continue" or none'],
  ["an upgrade", head("GET", "/v2/health/live", ["Connection: Upgrade", "Upgrade: websocket"]), 200],
];

const addresses: Case[] = [
  ...[
    "/v2/models/..%2f..%2fetc/passwd",
    "/v2/models/..%2f..%2fetc",
    "/v2/models/../../etc/passwd",
    "/v2/models/%2e%2e/%2e%2e/etc/passwd",
    "/v2/models/small/versions/..%2f..%2f..",
    "/v2/models/%00",
    "/v2/models/small%00",
    "/v2/models/%5c..%5c",
    "/v2/models/%",
    "/v2/models/%ff%fe",
    "/v2/models/%ed%a0%80",
    "/v2/models/current",
    "/v2/models/__proto__",
    "/v2/models/constructor",
    "/v2/models/small/versions/__proto__",
    "/v2/models/.small",
    `/v2/models/${"a".repeat(9000)}`,
    "//v2/models",
    "/v2//models",
    "/.git/config",
    "http://elsewhere.example/v2/nothing",
  ].map((path): Case => [`GET ${path.slice(0, 60)}`, head("GET", path), 404, /^there is no /]),
  ["a backslash", head("GET", "/v2/models/\\..\\x"), 400, "expected a valid address: its path has a backslash"],
  ["another scheme", head("GET", "ftp://host/v2"), 400, /^expected a valid address/],
  ["OPTIONS *", head("OPTIONS", "*"), 400, /^expected a valid address/],
  ["GET with a space", head("GET", "/v2 /x"), 400, /^expected a request/],
  ["bytes that are no ASCII", Buffer.from(head("GET", "/v2/é"), "latin1"), 400, /^expected a request/],
  ["a whole address", head("GET", "http://elsewhere.example/v2/health/live"), 200],
  ["a user in a whole address", head("TRACE", "http://a:b@elsewhere.example/v2"), undefined, /^(there is no|expected)/],
  ...["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "QUERY", "PURGE", "M-SEARCH"].map(
    (method): Case => [`${method} of a model`, head(method, infer), 404, `there is no ${method} ${infer}`],
  ),
  ["TRACE", head("TRACE", infer), undefined, /^(there is no TRACE|expected another request)/],
  ["HTTP/1.0 without a Host", "GET /v2/health/live HTTP/1.0\r\n\r\n", 200],
];

const bodies: Case[] = [
  [
    "100 MB announced",
    head("POST", infer, ["Content-Length: 100000000"]),
    413,
    /at most 16777216 bytes, got 100000000$/,
  ],
  ["a length and chunks", post(infer, good, ["Transfer-Encoding: chunked"]), 400, /^expected a request/],
  ["two lengths", post(infer, good, ["Content-Length: 1"]), 400, /^expected a request/],
  ["a negative length", head("POST", infer, ["Content-Length: -1"]), 400, /^expected a request/],
  ["a length past 2^64", head("POST", infer, [`Content-Length: ${"9".repeat(30)}`]), 400, /^expected a request/],
  ["a length of 2^60", head("POST", infer, [`Content-Length: ${2 ** 60}`]), 413, /^expected a body of at most/],
  ["another encoding", head("POST", infer, ["Transfer-Encoding: gzip"]), 400, /^expected a request/],
  ["chunks that are none", `${chunked(infer)}zz\r\n`, 400, /^expected a request/],
  ["a chunk's long extension", `${chunked(infer)}1;${"a".repeat(3e4)}`, 413, "expected chunks without long extensions"],
  ["half a request", [head("POST", infer, ["Content-Length: 50"]), "abc"], 400, /^expected a request/, "half"],
  ["half a chunk", [`${chunked(infer)}50\r\nabc`], 400, /^expected a request/, "half"],
  ["half of the headers", "GET /v2 HTTP/1.1\r\nHost: loc", 400, /^expected a request/, "half"],
  ["a body where none is taken", post("/v2/health/live", "a".repeat(100)), 404, "there is no POST /v2/health/live"],
  [
    "a body that goes on after its length",
    post(infer, good).replace(/Length: \d+/, "Length: 5"),
    400,
    /JSON$|^expected a request/,
  ],
  ["a GET with a body", head("GET", "/v2/health/live", ["Content-Length: 4"]), 200],
  ["a byte order mark", post(infer, `\ufeff${good}`), 200],
  [
    "no UTF-8",
    Buffer.concat([Buffer.from(head("POST", infer, ["Content-Length: 2"])), Buffer.from([255, 254])]),
    400,
    /UTF-8$/,
  ],
];

const json: Case[] = [
  ["depth 10,000, open", post(infer, "[".repeat(1e4)), 400, "expected the body to be JSON"],
  ["depth 100,000, open", post(infer, '{"a":'.repeat(1e5)), 400, "expected the body to be JSON"],
  ["depth 100,000", post(infer, deep(1e5)), 400, /^expected|: expected/],
  ["data of depth 100,000", post(infer, withData(deep(1e5))), 400, /^input "x": expected data of shape \[1, 4\]/],
  ["parameters of depth 100,000", post(infer, good.replace("{", `{"parameters":{"a":${deep(1e5)}},`)), 200],
  ["an id of depth 10,000", post(infer, good.replace("{", `{"id":${deep(1e4)},`)), 400, /^id: expected string/],
  ["a key twice", post(infer, good.replace("{", '{"inputs":[],')), 200],
  [
    "__proto__",
    post(
      infer,
      good.replace("{", '{"__proto__":{"inputs":[]},"parameters":{"__proto__":{"binary_data_output":true}},'),
    ),
    200,
  ],
  ["only __proto__", post(infer, `{"__proto__":${good}}`), 400, /^inputs: expected/],
  ["half a surrogate", post(infer, good.replace('"x"', '"\\ud800"')), 400, 'expected input "x", got "\\ud800"'],
  ["half a surrogate as an id", post(infer, good.replace("{", '{"id":"\\udfff",')), 200],
  [
    "10,000 inputs",
    post(infer, JSON.stringify({ inputs: Array.from({ length: 1e4 }, () => x(0)) })),
    400,
    /^inputs: expected <=256/,
  ],
  ["a name of 1 MB", post(infer, good.replace('"x"', `"${"x".repeat(1e6)}"`)), 400, /^inputs\.0\.name: expected/],
  ...["1e400", "-1e400", "1e39", `1${"0".repeat(400)}`].map(
    (number): Case => [
      `the number ${number.slice(0, 20)}`,
      post(infer, withData(`[${number},1,2,3]`)),
      400,
      /^input "x": expected numbers of FP32, got -?(Infinity|1e\+39)$/,
    ],
  ),
  ...["NaN", "Infinity", "0x10", "01", "+1", "1e", "-", "'1'"].map(
    (number): Case => [
      `the number ${number}`,
      post(infer, withData(`[${number},1,2,3]`)),
      400,
      "expected the body to be JSON",
    ],
  ),
];

const shapes: Case[] = [
  ["[2147483648,2147483648]", 'input "x": expected shape [-1, 4], got [2147483648, 2147483648]'],
  ["[4503599627370496,4]", /^input "x": expected data of shape/],
  ["[1e15,4]", /^input "x": expected data of shape/],
  ["[1e15,0]", /^input "x": expected shape/],
  ["[9007199254740993,4]", "inputs.0.shape.0: expected an integer below 2^53, got 9007199254740992"],
  ["[1e400,4]", "inputs.0.shape.0: expected an integer below 2^53, got Infinity"],
  ["[1.5,4]", "inputs.0.shape.0: expected an integer below 2^53, got 1.5"],
  ["[-1,4]", "inputs.0.shape.0: expected >=0, got -1"],
  ["[-1e400,4]", /^inputs\.0\.shape\.0: expected/],
  ["[NaN,4]", "expected the body to be JSON"],
  ["[0,4]", /^input "x": expected data of shape \[0, 4\]/],
  ["[-0,4]", /^input "x": expected data of shape \[0, 4\]/],
  ["[null,4]", "inputs.0.shape.0: expected number, got null"],
  ["[[1],4]", "inputs.0.shape.0: expected number, got Array"],
  ['["1",4]', 'inputs.0.shape.0: expected number, got "1"'],
  ["{}", "inputs.0.shape: expected Array, got Object"],
  ["null", "inputs.0.shape: expected Array, got null"],
  ["[]", 'input "x": expected shape [-1, 4], got []'],
  [`[${"1,".repeat(1e4)}4]`, "inputs.0.shape: expected <=16, got 10001"],
].map(
  ([shape, error]): Case => [
    `shape ${String(shape).slice(0, 40)}`,
    post(infer, withShape(shape as string)),
    400,
    error,
  ],
);

const binary: Case[] = [
  [
    "bytes for a shape past 2^53",
    bytesAfter({ shape: [2 ** 52, 4] }, 16),
    400,
    /^input "x": expected \d+ bytes for \[4503599627370496, 4\]/,
  ],
  [
    "fewer bytes than are said",
    post(infer, JSON.stringify({ inputs: [{ ...x(1), data: undefined, parameters: { binary_data_size: 1e15 } }] })),
    400,
    'input "x": expected 1000000000000000 bytes after the JSON, got 0',
  ],
  ["bytes of no batch", bytesAfter({ shape: [0, 4] }, 0), 200],
  [
    "a size past 2^53",
    bytesAfter({ parameters: { binary_data_size: 1e300 } }, 0),
    400,
    'input "x": expected binary_data_size to be a number of bytes, got 1e+300',
  ],
  [
    "a size that is a text",
    bytesAfter({ parameters: { binary_data_size: "16" } }, 16),
    400,
    'input "x": expected binary_data_size to be a number of bytes, got 16',
  ],
  [
    "a JSON length past the body",
    post(infer, good, ["Inference-Header-Content-Length: 99999999999999999999"]),
    400,
    /^Inference-Header-Content-Length: expected at most/,
  ],
  [
    "a negative JSON length",
    post(infer, good, ["Inference-Header-Content-Length: -1"]),
    400,
    /^Inference-Header-Content-Length: expected at most/,
  ],
];

/** What never arrives as a whole, refused by the server's own clock. */
const slowly: [name: string, sent: string, error: string][] = [
  ["nothing at all", "", "expected the request to arrive sooner"],
  ["half of the headers", "GET /v2 HTTP/1.1\r\nHost: loc", "expected the request to arrive sooner"],
  ["half of a body", post(infer, good).slice(0, -9), "expected the body within 30000 ms"],
  ["half of a body in chunks", chunked(infer, good.slice(9)), "expected the body within 30000 ms"],
  ["a chunk of 2^64 bytes", `${chunked(infer)}ffffffffffffffff\r\n`, "expected the body within 30000 ms"],
];

const cases = [...http, ...addresses, ...bodies, ...json, ...shapes, ...binary];

const both = nodes();
const setups: [name: string, node: string | undefined, workers: number][] = [
  ["Node 24", both[24], 0],
  ["Node 24 with two workers", both[24], 2],
  ["Node 20", both[20], 0],
  ["Node 20 with two workers", both[20], 2],
];

/** A server, its first answer, and those to what is slow: all servers wait for that at once. */
interface Started {
  server: Server;
  expected: string;
  slow: Promise<(Answer | undefined)[]>;
}

const started = new Map<string, Started>();
beforeAll(async () => {
  writeFileSync(join(home, "small.safetensors"), save(await small(1)));
  const probe = pathToFileURL(resolve("test/serve/probe.mjs")).href;
  for (const [name, node, workers] of setups) {
    if (node === undefined) continue;
    const args = [join(home, "small.safetensors"), ...(workers > 0 ? ["--workers", String(workers)] : [])];
    const server = await servingOn([node, "--expose-gc", "--import", probe], args);
    const [{ body: expected }] = await send(server.url, [post(infer, good)]);
    expect(JSON.parse(expected).outputs[0].shape).toEqual([1, 2]);
    const slow = Promise.all(slowly.map(async ([, sent]) => (await send(server.url, [sent]))[0]));
    started.set(name, { server, expected, slow });
  }
});

describe.each(setups)("%s", (name, node, workers) => {
  let server: Server;
  let pid: number | undefined;
  let expected: string;
  let slow: Promise<(Answer | undefined)[]>;
  beforeAll(() => {
    if (node === undefined) return;
    ({ server, expected, slow } = started.get(name) as Started);
    pid = server.child.pid;
  });
  afterAll(async () => {
    if (server) expect(await server.end("SIGTERM")).toBe(0);
  });

  /** The server that was started answers as at first. */
  const serves = async () => {
    const [answer] = await send(server.url, [post(infer, good)]);
    expect([server.child.exitCode, server.child.pid, answer.body]).toEqual([null, pid, expected]);
  };

  test.runIf(node).for(cases)("%s", async ([, sent, status, error, end]) => {
    const [answer] = await send(server.url, [sent].flat(), end ? { end } : {});
    if (status === 200) {
      expect([answer.status, answer.error]).toEqual([200, undefined]);
    } else {
      expect(answer.status).toBe(status ?? answer.status);
      if (typeof error === "string") expect(answer.error).toBe(error);
      else expect(answer.error).toMatch(error as RegExp);
    }
    await serves();
  });

  test.runIf(node)("100 MB that are not announced are refused before they are read", async () => {
    const block = `100000\r\n${"a".repeat(2 ** 20)}\r\n`;
    const [answer] = await send(server.url, [chunked(infer), ...Array.from({ length: 100 }, () => block)]);
    expect([answer.status, answer.error]).toEqual([
      413,
      "expected a body of at most 16777216 bytes, got more than 16777216",
    ]);
    await serves();
  });

  test.runIf(node)("requests one after another without waiting are answered in their order", async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
    const of = (id: string) => good.replace("{", `{"id":"${id}",`);
    const whole = ids
      .map((id, i) => (i % 3 === 0 ? post(infer, of(id)) : `${chunked(infer, of(id))}0\r\n\r\n`))
      .join("");
    const answers = await send(server.url, [whole], { count: ids.length });
    expect(answers.map(({ body }) => JSON.parse(body).id)).toEqual(ids);
  });

  test.runIf(node)("a thousand silent connections keep nobody from being served", async () => {
    const silent: Socket[] = [];
    for (let i = 0; i < 1000; i++) silent.push(await dial(server.url));
    for (const socket of silent.slice(0, 500)) socket.write("GET /v2 HTTP/1.1\r\nHost: ");
    await serves();
    for (const socket of silent) socket.destroy();
    await serves();
  });

  test.runIf(node)(
    "bodies that stay unfinished hold no more memory than all may have, the next is served",
    async () => {
      const began = head("POST", infer, [`Content-Length: ${2 ** 24}`]);
      const block = Buffer.alloc(2 ** 24 - 1, " ");
      const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(server.url)));
      const answers = sockets.map(async (socket) => {
        let text = "";
        socket.on("data", (bytes) => {
          text += bytes;
        });
        const closed = new Promise((done) => socket.on("error", () => {}).on("close", done));
        await Promise.race([new Promise((done) => socket.write(began) && socket.write(block, done)), closed]);
        return text;
      });
      await Promise.all(answers);
      const held = await look(server, workers);
      expect(held.bytes).toBeLessThan(40 * 2 ** 23); // of which twice as much was sent
      for (const socket of sockets) socket.destroy();
      await serves();
    },
  );

  test.runIf(node)("thousands of hostile requests leave nothing behind", async () => {
    const round = async () => {
      for (const [, sent, , , end] of cases) await send(server.url, [sent].flat(), end ? { end } : {});
      const leaving = await Promise.all(Array.from({ length: 100 }, () => dial(server.url)));
      leaving.forEach((socket, i) => {
        const sent = [post(infer, good), post(infer, good).slice(0, -9), `${chunked(infer, good)}`, "GET /v2 HT"][
          i % 4
        ];
        socket.write(sent, () => socket.destroy());
      });
      await serves();
    };
    for (let i = 0; i < 3; i++) await round();
    await slow;
    const before = await settled(server, workers);
    const rounds = 8;
    for (let i = 0; i < rounds; i++) await round();
    const after = await settled(server, workers);
    const requests = rounds * (cases.length + 100);
    expect((after.bytes - before.bytes) / requests).toBeLessThan(500); // a request that is kept has more
  });

  test.runIf(node).for(slowly.map(([name, , error], i) => [name, i, error] as const))(
    "%s",
    { timeout: 300_000 },
    async ([, i, error]) => {
      const answer = (await slow)[i];
      expect([answer?.status, answer?.error]).toEqual([408, error]);
      await serves();
    },
  );
});

interface Held {
  bytes: number;
  resources: Record<string, number>;
}

/**
 * What the server's process holds once it has no connections, timers or handles but where it listens: the least of some looks, as the
 * collector has its own time.
 */
async function settled(server: Server, workers: number): Promise<Held> {
  for (let held = await look(server, workers), same = 0; ; ) {
    await new Promise((done) => setTimeout(done, 100));
    const next = await look(server, workers);
    const { PipeWrap: _, ...others } = next.resources; // to its parent
    if (!isDeepStrictEqual(others, { TCPServerWrap: 1 })) continue;
    same = next.bytes < held.bytes ? 0 : same + 1;
    if (next.bytes < held.bytes) held = next;
    if (same === 10) return held;
  }
}

const look = ({ child }: Server, workers: number) =>
  new Promise<Held>((done) => {
    child.once("message", (held) => done(held as Held));
    child.send(workers);
  });
