// Node's HTTP server with nothing behind it: reads bodies to their end, and gives each the bytes that an answer of the CNN has.
import { createServer } from "node:http";

const answer = Buffer.alloc(180);
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": answer.length });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
