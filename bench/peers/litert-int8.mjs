// LiteRT.js runs int8 models, but its tensors know float32, int32 and uint8 alone, in a list that nothing can be added to once it is
// frozen. This, imported before it, adds int8.
const INT8 = 9; // its ElementType
const { freeze } = Object;

Object.freeze = (list) => {
  if (!Array.isArray(list) || !list.some?.((each) => each?.dtype === "uint8" && "elementType" in each))
    return freeze(list);
  Object.freeze = freeze;
  return freeze([...list, { dtype: "int8", typedArrayConstructor: Int8Array, elementType: INT8 }]);
};
