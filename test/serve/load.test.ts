// Under load: batching, the queue, deadlines, limits, tokens, shutting down.
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/index.js";
import { pieceOf, runRequests } from "../../src/serve/together.js";
import { ask, serving, small, x } from "./service.js";

const infer = "/v2/models/small/infer";

describe("batching", () => {
  test("pieces are powers of two, and waste at most a quarter", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 31, 33, 100].map((left) => pieceOf(left, 32))).toEqual([
      1, 2, 4, 4, 4, 8, 8, 32, 32, 32,
    ]);
    expect(pieceOf(100, 1)).toBe(1);
    expect(pieceOf(3, 3)).toBe(2);
    for (let left = 1; left <= 64; left++) {
      for (let most = 1; most <= 64; most++) expect(pieceOf(left, most)).toBeLessThanOrEqual(most);
    }
  });

  test("requests of any sizes together get what each gets alone", async () => {
    const model = await small();
    const sizes = [1, 3, 0, 7, 2, 40, 1];
    const requests = sizes.map((rows, i) => {
      const { data } = x(rows, i);
      return [{ data: Float32Array.from(data), shape: [rows, 4], dtype: "float32" as const }];
    });
    const steps = runRequests(model, requests, 16);
    let step = steps.next();
    for (let pauses = 1; !step.done; pauses++) {
      expect(pauses).toBeLessThan(5); // 54 samples
      step = steps.next();
    }
    const results = step.value;
    const alone = requests.map(([feed]) => model.predict(feed));
    expect(results.map(([result]) => result)).toEqual(alone);
  });

  test("requests that wait together run together", async () => {
    const ran: number[] = [];
    const model = await small();
    const session = model.session.bind(model);
    model.session = (size) => {
      ran.push(size as number);
      return session(size);
    };
    const serve = await serving({ models: { small: model }, batching: { maxBatch: 8, maxWait: 20 } });
    await Promise.all(Array.from({ length: 8 }, (_, i) => ask(serve, infer, { inputs: [x(1, i)] })));
    expect(ran).toEqual([8]);
  });
});

describe("limits", () => {
  test("a full queue refuses with 503 and Retry-After, the others are served", async () => {
    const serve = await serving({ limits: { queue: 2 }, batching: { maxWait: 30 } });
    await ask(serve, infer, { inputs: [x(1)] });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(serve, infer, { inputs: [x(1)] })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503, 503, 503]);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers.get("retry-after")).toBe("1");
  });

  test("what waits longer than the deadline gets 504", async () => {
    const model = await small();
    const session = model.session.bind(model);
    model.session = (size) => {
      for (const end = performance.now() + 30; performance.now() < end; );
      return session(size);
    };
    const serve = await serving({ models: { small: model }, limits: { deadline: 20 }, batching: { maxBatch: 1 } });
    const asked = Array.from({ length: 3 }, () => ask(serve, infer, { inputs: [x(1)] }));
    const [first, ...others] = await Promise.all(asked);
    expect(first.status).toBe(200);
    for (const { status, json } of others) expect([status, json.error]).toEqual([504, "expected to run within 20 ms"]);
  });

  test("more requests of one model than may be under way are refused with 503, other models serve", async () => {
    const models = { small: await small(), other: await small() };
    const serve = await serving({ models, limits: { concurrency: 2 } });
    const never = () => new ReadableStream({ pull: () => new Promise(() => {}) });
    const slow = () =>
      serve(new Request(`http://localhost${infer}`, { method: "POST", body: never(), duplex: "half" } as RequestInit));
    await ask(serve, infer, { inputs: [x(1)] });
    slow();
    slow();
    await new Promise((done) => setTimeout(done, 10));
    const { status, json, headers } = await ask(serve, infer, { inputs: [x(1)] });
    expect([status, json.error]).toEqual([503, "expected at most 2 requests at a time: try again"]);
    expect(headers.get("retry-after")).toBe("1");
    expect((await ask(serve, infer.replace("small", "other"), { inputs: [x(1)] })).status).toBe(200);
  });

  test("bytes of all requests together are bounded, and given back however a request ends", async () => {
    const body = JSON.stringify({ inputs: [x(1)] });
    const limits = { bodyBytes: 1000, totalBytes: 1900, bodyTime: 50 };
    const serve = await serving({ limits });
    const begin = (end: "stalls" | "fails" | "ends") =>
      serve(
        new Request(`http://localhost${infer}`, {
          method: "POST",
          body: new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode(body.padEnd(900))),
            pull(controller) {
              if (end === "ends") controller.close();
              else if (end === "fails") controller.error(new Error("gone"));
              return end === "stalls" ? new Promise(() => {}) : undefined;
            },
          }),
          duplex: "half",
        } as RequestInit),
      );
    await ask(serve, infer, { inputs: [x(1)] });
    for (let round = 0; round < 3; round++) {
      const stalled = [begin("stalls"), begin("stalls")];
      const refused = await begin("stalls");
      expect([refused.status, (await refused.json()).error]).toEqual([
        503,
        "expected at most 1900 bytes of all requests at a time: try again",
      ]);
      expect(refused.headers.get("retry-after")).toBe("1");
      expect((await Promise.all(stalled)).map(({ status }) => status)).toEqual([408, 408]);
      for (let i = 0; i < 5; i++)
        expect([(await begin("fails")).status, (await begin("ends")).status]).toEqual([400, 200]);
    }
    await expect(serving({ limits: { bodyBytes: 1000, totalBytes: 999 } })).rejects.toThrow(
      "handler: expected totalBytes of at least bodyBytes, 1000, got 999",
    );
  });

  test("a client that leaves leaves the queue", async () => {
    const ran: number[] = [];
    const model = await small();
    const session = model.session.bind(model);
    model.session = (size) => {
      ran.push(size as number);
      return session(size);
    };
    const serve = await serving({ models: { small: model }, batching: { maxBatch: 8, maxWait: 30 } });
    const leaving = new AbortController();
    const body = JSON.stringify({ inputs: [x(4)] });
    const left = serve(new Request(`http://localhost${infer}`, { method: "POST", body, signal: leaving.signal }));
    const stays = ask(serve, infer, { inputs: [x(1)] });
    setTimeout(() => leaving.abort(), 5);
    expect((await left).status).toBe(499);
    expect((await stays).status).toBe(200);
    expect(ran).toEqual([1]);
  });

  test("a long request lets others in between, and ends when its client leaves", async () => {
    let ran = 0;
    let live: Promise<number> | undefined;
    const leaving = new AbortController();
    const model = await small();
    const session = model.session.bind(model);
    model.session = (size) => {
      ran++;
      if (ran === 3) live = ask(serve, "/v2/health/live").then(({ status }) => status * 1000 + ran);
      if (ran === 510) leaving.abort();
      return session(size);
    };
    const serve = await serving({ models: { small: model }, batching: { maxBatch: 1 } });
    expect((await ask(serve, infer, { inputs: [x(500)] })).status).toBe(200);
    expect(ran).toBe(500);
    expect(await live).toBeGreaterThanOrEqual(200_003);
    expect(await live).toBeLessThan(200_500);

    const body = JSON.stringify({ inputs: [x(500)] });
    const left = await serve(new Request(`http://localhost${infer}`, { method: "POST", body, signal: leaving.signal }));
    expect([left.status, ran]).toEqual([499, 510]);
    expect((await ask(serve, infer, { inputs: [x(1)] })).status).toBe(200);
  });

  test("a body beyond the limit is refused before it is read, announced or not", async () => {
    const serve = await serving({ limits: { bodyBytes: 1000 } });
    const long = { inputs: [{ ...x(1), name: "x".repeat(2000) }] };
    expect((await ask(serve, infer, long)).status).toBe(413);
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(100));
      },
    });
    const request = new Request(`http://localhost${infer}`, {
      method: "POST",
      body: endless,
      duplex: "half",
    } as RequestInit);
    const response = await serve(request);
    expect([response.status, (await response.json()).error]).toEqual([
      413,
      "expected a body of at most 1000 bytes, got more than 1000",
    ]);
    expect(pulled).toBeLessThan(20);
  });

  test("a request that gives no stream, as in Firefox, is read whole", async () => {
    const serve = await serving({ limits: { bodyBytes: 1000 } });
    const asked = async (inputs: object[]) => {
      const request = new Request(`http://localhost${infer}`, { method: "POST", body: JSON.stringify({ inputs }) });
      Object.defineProperty(request, "body", { value: undefined });
      return (await serve(request)).status;
    };
    expect(await asked([x(1)])).toBe(200);
    expect(await asked([{ ...x(1), name: "x".repeat(2000) }])).toBe(413);
  });

  test("a body that does not arrive gets 408", async () => {
    const serve = await serving({ limits: { bodyTime: 20 } });
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const response = await serve(
      new Request(`http://localhost${infer}`, { method: "POST", body, duplex: "half" } as RequestInit),
    );
    expect(response.status).toBe(408);
  });

  test("a model that fails gets 500, and serves the next request", async () => {
    let fails = true;
    const model = await small();
    const session = model.session.bind(model);
    model.session = (size) => {
      if (fails) throw new Error("no memory");
      return session(size);
    };
    const events: unknown[] = [];
    const serve = await serving({ models: { small: model }, hooks: { request: (event) => events.push(event) } });
    const { status, json } = await ask(serve, infer, { inputs: [x(1)] });
    expect([status, json]).toEqual([500, { error: "the model failed" }]);
    expect(events).toMatchObject([{ status: 500, model: "small", error: { message: "no memory" } }]);
    fails = false;
    expect((await ask(serve, infer, { inputs: [x(1)] })).status).toBe(200);
  });
});

describe("who may ask", () => {
  test("with tokens, all but health needs one of them", async () => {
    const serve = await serving({ auth: { tokens: ["first", "second"] } });
    expect((await ask(serve, "/v2/health/live")).status).toBe(200);
    for (const token of ["", "firs", "first2", "third"]) {
      const { status, headers } = await ask(serve, "/v2", undefined, { authorization: `Bearer ${token}` });
      expect([token, status, headers.get("www-authenticate")]).toEqual([token, 401, "Bearer"]);
    }
    for (const token of ["first", "second"])
      expect((await ask(serve, "/v2", undefined, { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test("a hook limits the rate by token", async () => {
    const keys: string[] = [];
    const rateLimit = (key: string) => {
      keys.push(key);
      return keys.length === 1 || 7;
    };
    const serve = await serving({ hooks: { rateLimit } });
    const headers = { authorization: "Bearer me" };
    expect((await ask(serve, infer, { inputs: [x(1)] }, headers)).status).toBe(200);
    const { status, headers: answer } = await ask(serve, infer, { inputs: [x(1)] }, headers);
    expect([status, answer.get("retry-after"), keys]).toEqual([429, "7", ["me", "me"]]);
  });

  test("origins that are allowed may ask from pages", async () => {
    const serve = await serving({ cors: { origin: "https://app.example" } });
    const preflight = new Request(`http://localhost${infer}`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect((await serve(preflight)).headers.get("access-control-allow-origin")).toBe("https://app.example");
  });
});

test("close lets requests under way finish, and refuses others", async () => {
  const serve = await serving({ batching: { maxWait: 30 } });
  const underWay = ask(serve, infer, { inputs: [x(1)] });
  await new Promise((done) => setTimeout(done, 10));
  const closed = serve.close();
  expect((await ask(serve, "/v2/health/ready")).status).toBe(503);
  expect((await ask(serve, infer, { inputs: [x(1)] })).status).toBe(503);
  expect((await underWay).status).toBe(200);
  await closed;
});

test("metrics are counted by models that there are, and served when asked for", async () => {
  const serve = await serving({ metrics: true });
  await ask(serve, infer, { inputs: [x(3)] });
  for (let i = 0; i < 50; i++) await ask(serve, `/v2/models/unknown${i}/infer`, { inputs: [x(3)] });
  const text = await (await serve(new Request("http://localhost/metrics"))).text();
  expect(text).toContain('lanewise_samples_total{model="small"} 3');
  expect(text).toContain('lanewise_requests_total{model="",status="404"} 50');
  expect(text).not.toContain("unknown");
  expect(text).toMatch(/^lanewise_request_seconds_bucket\{model="small",le="\+Inf"\} 1$/m);
  expect((await ask(await serving(), "/metrics")).status).toBe(404);
});

test("options that cannot be are refused", async () => {
  const models = { small: await small() };
  await expect(serving({ models, limits: { queue: 0 } })).rejects.toThrow(
    "handler: expected queue of at least 1, got 0",
  );
  await expect(serving({ models, limits: { queues: 1 } as never })).rejects.toThrow(
    "handler: limits: expected options",
  );
  await expect(serving({ models, limits: { deadline: 50 }, batching: { maxWait: 50 } })).rejects.toThrow(
    "handler: expected maxWait below the deadline of 50 ms, got 50",
  );
  await expect(serving({ models, auth: { tokens: [] } })).rejects.toThrow("auth.tokens");
  const serve = await serving({ models: { "../etc": models.small as Model } });
  expect((await ask(serve, "/v2/models")).status).toBe(500);
});
