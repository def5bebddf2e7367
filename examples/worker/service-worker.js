// In the browser itself: a service worker answers the page's requests, without a server and without a network. offline.mjs bundles it, model
// and page inside.
import { load } from "lanewise";
import { app } from "./app.js";
import model from "./digits.safetensors";
import page from "./page.html";

const fetch = app({ digits: () => load(model) }, page);
const own = (request) => new URL(request.url).origin === location.origin;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => own(event.request) && event.respondWith(fetch(event.request)));
