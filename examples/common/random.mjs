// @ts-check
// Random numbers for data that examples make: from a seed, with integer arithmetic, the same everywhere.

/** Numbers in [0, 1) from a seed: Marsaglia's xorshift. @param {number} seed */
export function randomFrom(seed) {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Bell-shaped around 0 with standard deviation 1. @param {() => number} random */
export const bell = (random) => Array.from({ length: 12 }, random).reduce((sum, v) => sum + v, -6);

/** The numbers 0 to count - 1 in random order. @param {number} count @param {() => number} random */
export function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
