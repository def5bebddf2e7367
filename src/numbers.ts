// Elementary functions in float64 from + - * / alone, for schedules and tables: Math.cos, Math.exp and Math.pow may differ between engines in the
// last bit, and a learning rate that differs makes another model. Errors are the largest distance from the exact value, measured
// against Math's own functions on 10^5 points (test/numbers64.test.ts).

/** Degree at which the remaining terms of the series fall below half a unit in the last place on the reduced argument. */
const EXP_TERMS = 14;
const COS_TERMS = 11;
const LN2_HIGH = 0.6931471803691238; // 32 bits, so that k * LN2_HIGH is exact
const LN2_LOW = 1.9082149292705877e-10;
// biome-ignore lint/suspicious/noApproximativeNumericConstant: numbers here are written out, the same in every engine
const PI = 3.141592653589793;

/** b^n for a whole n >= 0, by repeated squaring. */
export function power(b: number, n: number): number {
  let result = 1;
  for (let square = b, rest = n; rest > 0; rest = Math.floor(rest / 2), square *= square)
    if (rest % 2 === 1) result *= square;
  return result;
}

/** 2^n for a whole n from -1022 to 1023, exactly. */
export const powerOfTwo = (n: number): number => (n < 0 ? 1 / power(2, -n) : power(2, n));

/** e^x within 2 units in the last place for |x| <= 700; 0 below -745, Infinity above 710. */
export function exp(x: number): number {
  // biome-ignore lint/complexity/useMathMinMax: NaN passes
  if (!(x > -745.2)) return x < 0 ? 0 : x;
  if (x > 709.8) return Number.POSITIVE_INFINITY;
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: as above
  const k = Math.floor(x * 1.4426950408889634 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let i = EXP_TERMS; i > 0; i--) sum = 1 + (r / i) * sum;
  const half = Math.floor(k / 2);
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Natural logarithm of a positive number, within 4e-16 + 2 units in the last place. */
export function log(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN;
  let [m, k] = [x, 0];
  while (m > Math.SQRT2) [m, k] = [m / 2, k + 1];
  while (m < Math.SQRT1_2) [m, k] = [m * 2, k - 1];
  // log m = 2 artanh s with s = (m - 1) / (m + 1), |s| <= 0.172
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  let sum = 0;
  for (let i = 25; i > 1; i -= 2) sum = (sum + 1 / i) * s2;
  return k * LN2_HIGH + (2 * s + (2 * s * sum + k * LN2_LOW));
}

/** b^x for b >= 0; relative error at most 1e-15 (1 + |x log b|). Whole exponents up to 2^31 go by multiplication. */
export function pow(b: number, x: number): number {
  if (Number.isInteger(x) && Math.abs(x) < 2 ** 31) return x < 0 ? 1 / power(b, -x) : power(b, x);
  if (b === 0) return x > 0 ? 0 : Number.POSITIVE_INFINITY;
  return exp(x * log(b));
}

/** cos(pi x) within 3e-16, for any x. */
export function cosPi(x: number): number {
  let t = Math.abs(x) % 2;
  if (t > 1) t = 2 - t;
  if (t > 0.5) return -cosPi(1 - t);
  if (t === 0.5) return 0;
  const a = PI * t;
  const a2 = a * a;
  let sum = 1;
  for (let i = COS_TERMS; i > 0; i--) sum = 1 - (a2 / (2 * i * (2 * i - 1))) * sum;
  return sum;
}
