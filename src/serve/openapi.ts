// The service as an OpenAPI document of its own.
// https://spec.openapis.org/oas/v3.1.0

type Json = Record<string, unknown>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const content = (name: string): Json => ({ "application/json": { schema: ref(name) } });
const answer = (description: string, schema: string): Json => ({ description, content: content(schema) });
const object = (properties: Json, required: readonly string[]): Json => ({ type: "object", properties, required });
const list = (items: Json): Json => ({ type: "array", items });
const text: Json = { type: "string" };
const shape = list({ type: "integer" });
const data = list({ anyOf: [ref("data"), { type: "number" }, { type: "boolean" }] });
const errors = Object.fromEntries(
  Object.entries({ 400: "the request does not fit the model", 404: "no such model or version" }).map(
    ([status, description]) => [status, answer(description, "error")],
  ),
);
const busy = Object.fromEntries(
  Object.entries({
    408: "the body took too long",
    413: "the body is too large",
    429: "too many requests with this key",
    503: "too many requests, or no version can be loaded: try again",
    504: "the request waited too long",
  }).map(([status, description]) => [status, answer(description, "error")]),
);

const get = (operationId: string, summary: string, schema: string, refusals: Json = {}): Json => ({
  get: { operationId, summary, responses: { 200: answer("as asked", schema), ...refusals } },
});

const parameter = (name: string): Json => ({ name, in: "path", required: true, schema: text });

/** The paths of a model, with and without a version. */
function modelPaths(): Json {
  const forms = { "": "/v2/models/{model}", Version: "/v2/models/{model}/versions/{version}" };
  return Object.fromEntries(
    Object.entries(forms).flatMap(([suffix, path]) => {
      const parameters = suffix === "" ? [parameter("model")] : [parameter("model"), parameter("version")];
      return [
        [path, { parameters, ...get(`model${suffix}Metadata`, "What a model takes and gives", "model", errors) }],
        [`${path}/ready`, { parameters, ...get(`model${suffix}Ready`, "Whether a model serves", "ready", errors) }],
        [
          `${path}/infer`,
          {
            parameters,
            post: {
              operationId: `model${suffix}Infer`,
              summary: "Runs a model on tensors, in JSON or behind it as bytes",
              requestBody: { required: true, content: content("request") },
              responses: { 200: answer("the outputs", "response"), ...errors, ...busy },
            },
          },
        ],
      ];
    }),
  );
}

export function openapi(title: string, version: string): Json {
  const tensor = {
    name: text,
    shape,
    datatype: { enum: ["FP32", "INT8", "UINT8", "INT16", "INT32", "INT64", "BOOL"] },
  };
  const parameters: Json = { type: "object" };
  const withData = object({ ...tensor, parameters, data: ref("data") }, ["name", "shape", "datatype"]);
  return {
    openapi: "3.1.0",
    info: { title, version, description: "Open Inference Protocol v2" },
    paths: {
      "/v2": get("serverMetadata", "Name, version and extensions", "server"),
      "/v2/health/live": get("serverLive", "Whether the server answers", "health"),
      "/v2/health/ready": get("serverReady", "Whether the server takes requests", "health", {
        503: answer("it is shutting down", "error"),
      }),
      "/v2/models": get("models", "Names of all models", "models"),
      ...modelPaths(),
    },
    components: {
      schemas: {
        data,
        error: object({ error: text }, ["error"]),
        health: { type: "object" },
        model: object(
          {
            name: text,
            version: text,
            versions: list(text),
            platform: text,
            inputs: list(ref("spec")),
            outputs: list(ref("spec")),
          },
          ["name", "platform", "inputs", "outputs"],
        ),
        models: object({ models: list(text) }, ["models"]),
        ready: object({ name: text, ready: { type: "boolean" } }, ["name", "ready"]),
        request: object(
          {
            id: text,
            parameters,
            inputs: list(withData),
            outputs: list(object({ name: text, parameters }, ["name"])),
          },
          ["inputs"],
        ),
        response: object({ model_name: text, model_version: text, id: text, outputs: list(withData) }, [
          "model_name",
          "outputs",
        ]),
        server: object({ name: text, version: text, extensions: list(text) }, ["name", "version", "extensions"]),
        spec: object({ ...tensor, parameters }, ["name", "datatype", "shape"]),
      },
    },
  };
}
