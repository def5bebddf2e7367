// Recurrent layers and the loss of alignments, by sequences.
import { COSTLY, MADD, type Rule, type Rules } from "./range.js";

/**
 * (batch, steps, units, ...): sequences. Which arguments have the gates' numbers of every step (`width` times the units), the units of every
 * step, the units once, a byte of every step; a pointer of 0 stands for none.
 */
const sequences =
  (width: number, all: readonly number[], steps: readonly number[], once: readonly number[], mask: number): Rule =>
  (a) => {
    const [, length, units] = a;
    const row = 4 * length * units;
    const move = (list: readonly number[], step: number) =>
      list.map((argument) => [argument, a[argument] === 0 ? 0 : step] as const);
    return {
      count: 0,
      cost: length * width * units * (MADD * units + COSTLY),
      preferred: 2,
      moves: [...move(all, width * row), ...move(steps, row), ...move(once, 4 * units), ...move([mask], length)],
    };
  };

export const recurrent: Rules = {
  f32_simple_rnn: sequences(1, [], [3, 8], [5, 7, 9], 6),
  f32_simple_rnn_grad: sequences(1, [], [3, 7, 8], [6, 9, 10], 5),
  f32_lstm: sequences(4, [3, 9], [10, 11], [5, 6, 8, 12], 7),
  f32_lstm_grad: sequences(4, [3, 11], [4, 9, 10], [6, 8, 12, 13, 14], 7),
  f32_gru: sequences(3, [3, 10], [11, 12], [7, 9, 13], 8),
  f32_gru_grad: sequences(3, [3, 12], [4, 5, 11, 13], [8, 10, 14, 15], 9),
  f32_ctc: ([, steps, classes, most, , , lengths]) => ({
    count: 0,
    cost: steps * (2 * most + 1) * 10 * COSTLY,
    moves: [
      [4, 4 * steps * classes],
      [5, 4 * most],
      [6, lengths && 4],
      [7, 4],
      [8, 4 * steps * classes],
      [9, 4 * (steps + 5) * (2 * most + 1)],
    ],
  }),
};
