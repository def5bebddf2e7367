// Text as whole numbers, and the sequences of them that a language model learns from.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import { draws } from "../philox.js";
import { type Tensor, tensor } from "../tensor.js";
import { Dataset } from "./dataset.js";
import { isTensor } from "./stack.js";
import { whole } from "./whole.js";

/** Between text and tokens, whole numbers from 0. */
export interface Vocabulary {
  /** How many tokens there are: `inputDim` of an embedding, units of the last layer. */
  readonly size: number;
  /** @throws {RangeError} for text that has no token, naming where it is */
  encode(text: string): Int32Array<ArrayBuffer>;
  /** @throws {RangeError} for numbers that are no tokens */
  decode(tokens: Tensor | ArrayLike<number>): string;
}

/** A vocabulary of characters. */
export interface CharacterVocabulary extends Vocabulary {
  /** Token i is `symbols[i]`; `characters(symbols.join(""))` is the same vocabulary. */
  readonly symbols: readonly string[];
}

/** Tokens next to those that follow them. */
export interface TextSequence {
  /** int32 [length] */
  readonly x: Tensor;
  /** int32 [length], one step later */
  readonly y: Tensor;
}

export interface TextSequenceOptions {
  /** Tokens in `x`. */
  length: number;
  /** For sequences one after the other: tokens from the start of one to the start of the next; default `length`. */
  stride?: number;
  /** For sequences that start anywhere, drawn anew in every epoch: how many an epoch has. */
  count?: number;
  /** Of those draws: whole number below 2^53, default 0. */
  seed?: number;
}

/**
 * The characters that a text has, each a token, in the order of their Unicode numbers.
 * @param text with every character that will be encoded; a character is a code point, so that no emoji is cut in two
 * @throws {RangeError} for a text without characters
 * @example
 * const vocabulary = characters("to be or not to be");
 * vocabulary.symbols.join(""); // " benort"
 * [...vocabulary.encode("bet")]; // [1, 2, 6]
 * vocabulary.decode([3, 4, 6]); // "not"
 */
export function characters(text: string): CharacterVocabulary {
  const op = "characters";
  const symbols = [...new Set(checkText(op, text))].sort((a, b) => codeOf(a) - codeOf(b));
  if (symbols.length === 0) throw rangeError({ op, expected: "a text with characters", actual: "an empty one" });
  const tokens = new Map(symbols.map((symbol, token) => [symbol, token]));
  return {
    symbols,
    size: symbols.length,
    encode(given) {
      const found = new Int32Array(checkText(op, given).length);
      let count = 0;
      for (const symbol of given) {
        const token = tokens.get(symbol);
        if (token === undefined) {
          const expected = `one of the ${symbols.length} characters of the vocabulary`;
          throw rangeError({ op, expected, actual: `${JSON.stringify(symbol)} (character ${count})` });
        }
        found[count++] = token;
      }
      return found.slice(0, count);
    },
    decode: (given) => Array.from(checkTokens(op, given, symbols.length), (token) => symbols[token]).join(""),
  };
}

const codeOf = (symbol: string): number => symbol.codePointAt(0) as number;

/**
 * The 256 bytes as tokens: any text, in UTF-8.
 * @returns a vocabulary that decodes bytes which are no UTF-8 to the replacement character
 * @example
 * const vocabulary = bytes();
 * vocabulary.size; // 256
 * [...vocabulary.encode("é")]; // [195, 169]
 * vocabulary.decode([104, 105]); // "hi"
 */
export function bytes(): Vocabulary {
  const op = "bytes";
  return {
    size: 256,
    encode: (text) => Int32Array.from(new TextEncoder().encode(checkText(op, text))),
    decode: (given) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(checkTokens(op, given, 256))),
  };
}

/**
 * What a language model learns from: stretches of tokens, and as targets the same one token later. One after the other, or, with `count`,
 * from anywhere in the text, each drawn from seed, epoch and number by the counter-based generator.
 * @param tokens as `encode` gives them; any array of whole numbers, or a tensor of rank 1
 * @returns a dataset of `{ x, y }`, int32 [length], with random access; they share the tokens' memory
 * @throws {RangeError} for fewer than `length` + 1 tokens, numbers that are no tokens, and options out of range
 * @example
 * const text = "to be or not to be";
 * const tokens = characters(text).encode(text);
 * const validation = textSequences(tokens, { length: 4 });
 * validation.size; // 4
 * for await (const { x, y } of validation.take(1)) console.log(x.data, y.data); // tokens of "to b" and "o be"
 * const train = textSequences(tokens, { length: 4, count: 100, seed: 1 }).batch(12);
 * for await (const { x } of train.take(1)) console.log(x.shape); // [12, 4]
 */
export function textSequences(tokens: Tensor | ArrayLike<number>, options: TextSequenceOptions): Dataset<TextSequence> {
  const op = "textSequences";
  checkKeys(op, options, ["length", "stride", "count", "seed"]);
  const { length, stride = length, count, seed = 0 } = options;
  whole(op, "length", length, 1);
  whole(op, "stride", stride, 1);
  whole(op, "seed", seed, 0);
  if (count !== undefined) whole(op, "count", count, 1);
  if (count === undefined ? options.seed !== undefined : options.stride !== undefined) {
    const expected =
      "either stride, for sequences one after the other, or count (and seed), for sequences from anywhere";
    throw typeError({ op, expected, actual: count === undefined ? "seed without count" : "both stride and count" });
  }
  const all = tokensOf(op, tokens);
  const starts = all.length - length; // the target of the last step is one further
  if (starts < 1) {
    const expected = `at least ${length + 1} tokens, for a sequence of ${length} and the token after it`;
    throw rangeError({ op, expected, actual: String(all.length) });
  }
  const cut = (from: number): Tensor => tensor(all.subarray(from, from + length), [length]);
  const at = (from: number): TextSequence => ({ x: cut(from), y: cut(from + 1) });
  if (count === undefined) return new Dataset({ size: Math.ceil(starts / stride), read: () => (i) => at(i * stride) });
  const read = (epoch: number) => (i: number) => at(Math.floor(draws(seed, epoch * count + i).uniform(0, starts)));
  return new Dataset({ size: count, read });
}

function tokensOf(op: string, given: Tensor | ArrayLike<number>): Int32Array {
  const list = checkTokens(op, given, 2 ** 31);
  return list instanceof Int32Array ? list : Int32Array.from(list);
}

/** The array behind them. @throws {TypeError} for what is no array and no tensor of rank 1; {RangeError} for other than tokens in it */
function checkTokens(op: string, given: Tensor | ArrayLike<number>, size: number): ArrayLike<number> {
  const list = isTensor(given) && given.shape.length === 1 ? given.data : given;
  if (!(Array.isArray(list) || (ArrayBuffer.isView(list) && !(list instanceof DataView)))) {
    const actual = isTensor(given) ? `one of rank ${given.shape.length}` : told(given);
    throw typeError({ op, expected: "tokens as an array or a tensor of rank 1", actual });
  }
  const tokens = list as ArrayLike<number>;
  for (let i = 0; i < tokens.length; i++) {
    if (Number.isInteger(tokens[i]) && tokens[i] >= 0 && tokens[i] < size) continue;
    const expected = `tokens, whole numbers in [0, ${size - 1}]`;
    throw rangeError({ op, expected, actual: `${tokens[i]} (element ${i})` });
  }
  return tokens;
}

function checkText(op: string, text: string): string {
  if (typeof text === "string") return text;
  throw typeError({ op, expected: "a text", actual: told(text) });
}
