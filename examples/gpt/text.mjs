// @ts-check
// The text that the transformer learns: stored, or made up of a few words.

import { textOf } from "../common/files.mjs";
import { UsageError } from "../common/options.mjs";

/** The least text of which a tenth is worth validating on. */
const LEAST = 2000;

/** @param {string} folder */
export async function stored(folder) {
  const text = await textOf(folder, "input.txt");
  if (text.length < LEAST)
    throw new UsageError(`${folder}: a text of ${text.length} characters is too short to learn from`);
  return text;
}

/** Its characters in order, and their numbers. @param {string} text */
export function encoded(text) {
  const characters = [...new Set(text)].sort();
  const codes = new Map(characters.map((character, code) => [character, code]));
  return { characters, codes: Int32Array.from(text, (character) => /** @type {number} */ (codes.get(character))) };
}

/** Whole numbers below a bound, the same for a seed on every machine. @param {number} seed @returns {(below: number) => number} */
export function draw(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const animals = ["cat", "dog", "owl", "horse", "goat", "mouse"];
const kinds = ["small", "old", "grey", "quiet", "hungry"];
const deeds = ["sees", "follows", "hears", "finds", "greets"];
const times = ["at night", "in the morning", "after the rain", "every day"];

/** Sentences about animals, at least so many characters. @param {number} seed @param {number} length */
export function written(seed, length) {
  const random = draw(seed);
  /** @param {readonly string[]} words */
  const one = (words) => words[random(words.length)];
  let text = "";
  while (text.length < length) {
    const sentence = `the ${one(kinds)} ${one(animals)} ${one(deeds)} the ${one(animals)} ${one(times)}`;
    text += `${sentence[0].toUpperCase()}${sentence.slice(1)}.\n`;
  }
  return text;
}
