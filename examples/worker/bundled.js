// The same without a namespace: the model is a file of the bundle too. `main` in wrangler.toml says which of the two is deployed.
import { load } from "lanewise";
import { app } from "./app.js";
import model from "./digits.safetensors";
import page from "./page.html";

export default { fetch: app({ digits: () => load(model) }, page) };
