// Reductions of truth values x [outer, reduce, inner] (u8) to y [outer, inner] (u8).

/** y = 1 where any element along the middle axis is not 0, else 0. */
export function u8_any(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  agree(outer, reduce, inner, x, y, 1);
}

/** y = 1 where no element along the middle axis is 0, else 0. */
export function u8_all(outer: u32, reduce: u32, inner: u32, x: usize, y: usize): void {
  agree(outer, reduce, inner, x, y, 0);
}

/** y = `found` where an element is as `found` says, else the other truth value. */
function agree(outer: u32, reduce: u32, inner: u32, x: usize, y: usize, found: u8): void {
  for (; outer > 0; outer--, y += inner) {
    memory.fill(y, found ^ 1, inner);
    for (let i: u32 = 0; i < reduce; i++, x += inner) {
      for (let j: u32 = 0; j < inner; j++) {
        if (<u8>(load<u8>(x + j) != 0) == found) store<u8>(y + j, found);
      }
    }
  }
}
