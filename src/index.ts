// lanewise: define, build, run, save and load models. Training is in lanewise/train, data sets in lanewise/data.
export { FormatError, ShapeError, UnsupportedError } from "./errors.js";
export { type LoadOptions, load, save } from "./formats/native.js";
export type { Value } from "./graph/value.js";
export {
  type Activation,
  activation,
  type EluOptions,
  elu,
  type LeakyReluOptions,
  leakyRelu,
  type ReluOptions,
  relu,
  type SoftmaxOptions,
  softmax,
} from "./layers/activation.js";
export {
  type AttentionCall,
  type AttentionLayer,
  type GroupQueryAttentionOptions,
  groupQueryAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from "./layers/attention.js";
export {
  type RandomAdjustmentOptions,
  type RandomFactor,
  type RandomFlipOptions,
  type RandomTransformOptions,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
} from "./layers/augmentation.js";
export { type BidirectionalOptions, bidirectional } from "./layers/bidirectional.js";
export { type CategoryEncodingOptions, categoryEncoding } from "./layers/categoryencoding.js";
export { type Conv1dOptions, conv1d } from "./layers/conv1d.js";
export { type Conv2dLayerOptions, conv2d } from "./layers/conv2d.js";
export { type DenseOptions, dense } from "./layers/dense.js";
export { type DepthwiseConv2dOptions, depthwiseConv2d } from "./layers/depthwise.js";
export { type DepthwiseConv1dOptions, depthwiseConv1d } from "./layers/depthwise1d.js";
export { type DotOptions, dot } from "./layers/dot.js";
export { type EmbeddingOptions, embedding } from "./layers/embedding.js";
export { type GroupNormalizationOptions, groupNormalization } from "./layers/groupnormalization.js";
export { type GruOptions, gru } from "./layers/gru.js";
export type { Layer, LayerOptions } from "./layers/layer.js";
export { type LstmOptions, lstm } from "./layers/lstm.js";
export { masking } from "./layers/mask.js";
export {
  add,
  average,
  type ConcatenateOptions,
  concatenate,
  type Merge,
  maximum,
  minimum,
  multiply,
  subtract,
} from "./layers/merge.js";
export {
  type Border2d,
  cropping2d,
  permute,
  repeatVector,
  type UpSampling2dOptions,
  upSampling2d,
  zeroPadding2d,
} from "./layers/movement.js";
export { cropping1d, upSampling1d, zeroPadding1d } from "./layers/movement1d.js";
export { gaussianDropout, gaussianNoise, spatialDropout1d, spatialDropout2d } from "./layers/noise.js";
export {
  type BatchNormalizationOptions,
  batchNormalization,
  type LayerNormalizationOptions,
  layerNormalization,
} from "./layers/normalization.js";
export { type ParameterOptions, parameter } from "./layers/parameter.js";
export {
  type AveragePooling2dOptions,
  averagePooling2d,
  type GlobalPooling2dOptions,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  type Pooling2dOptions,
} from "./layers/pooling.js";
export {
  averagePooling1d,
  type GlobalPooling1dOptions,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
  type Pooling1dOptions,
} from "./layers/pooling1d.js";
export {
  type PositionEmbeddingOptions,
  positionEmbedding,
  type RotaryEmbeddingOptions,
  rotaryEmbedding,
} from "./layers/position.js";
export { type PreluOptions, prelu } from "./layers/prelu.js";
export type { GatedOptions, Recurrent, RecurrentCall, RecurrentOptions } from "./layers/recurrent.js";
export {
  type ActivityRegularizationOptions,
  activityRegularization,
  dropout,
} from "./layers/regularization.js";
export { type RescalingOptions, rescaling } from "./layers/rescaling.js";
export { centerCrop, type ResizingOptions, resizing } from "./layers/resizing.js";
export {
  type RmsNormalizationOptions,
  rmsNormalization,
  type UnitNormalizationOptions,
  unitNormalization,
} from "./layers/rmsnormalization.js";
export {
  type SeparableConv1dOptions,
  type SeparableConv2dOptions,
  separableConv1d,
  separableConv2d,
} from "./layers/separable.js";
export { sequential } from "./layers/sequential.js";
export { flatten, reshape } from "./layers/shape.js";
export { simpleRNN } from "./layers/simplernn.js";
export {
  type FeatureNormalizationOptions,
  type NormalizationLayer,
  normalization,
} from "./layers/standardization.js";
export type { Padding1d } from "./layers/steps.js";
export { timeDistributed } from "./layers/timedistributed.js";
export { type TransformerBlockOptions, transformerBlock } from "./layers/transformer.js";
export {
  type Conv1dTransposeOptions,
  type Conv2dTransposeOptions,
  conv1dTranspose,
  conv2dTranspose,
} from "./layers/transposed.js";
export {
  type ActivationName,
  hardSigmoid,
  hardSilu,
  logSoftmax,
  relu6,
  selu,
  softsign,
} from "./ops/activation.js";
export { div, mul, sub } from "./ops/arithmetic.js";
export { type AttentionOptions, scaledDotProductAttention } from "./ops/attention.js";
export { cast } from "./ops/cast.js";
export {
  clip,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalNot,
  notEqual,
  pow,
  where,
} from "./ops/comparison.js";
export { concat, split, stack, unstack } from "./ops/concat.js";
export { convolution2d } from "./ops/conv2d.js";
export { argMin, max, min, prod } from "./ops/extremum.js";
export { gather, oneHot, scatterAdd } from "./ops/gather.js";
export type { Initializer, InitializerName } from "./ops/initializer.js";
export { constant, input } from "./ops/leaf.js";
export { all, any } from "./ops/logical.js";
export { sparseSoftmaxCrossEntropy } from "./ops/loss.js";
export { maskOf, withMask } from "./ops/mask.js";
export { matmul } from "./ops/matmul.js";
export { pad } from "./ops/pad.js";
export { argMax, mean, sum } from "./ops/reduce.js";
export { l1, l1l2, l2, type Regularizer, type RegularizerName } from "./ops/regularizer.js";
export { resize } from "./ops/resize.js";
export { cumsum } from "./ops/scan.js";
export { expandDims, squeeze } from "./ops/shape.js";
export { flip, slice, stridedSlice } from "./ops/slice.js";
export { logSumExp, norm, std, variance } from "./ops/statistics.js";
export { repeat, tile } from "./ops/tile.js";
export { transpose } from "./ops/transpose.js";
export { convolution2dTranspose } from "./ops/transposed.js";
export {
  abs,
  erf,
  exp,
  floor,
  gelu,
  log,
  log1p,
  mish,
  neg,
  rsqrt,
  sigmoid,
  sign,
  silu,
  softplus,
  sqrt,
  square,
  tanh,
} from "./ops/unary.js";
export { type BuildOptions, build } from "./program/build.js";
export type { Model, Session, TensorSpec } from "./program/model.js";
export type { Plan, PlanCall, PlanRegion } from "./program/print.js";
export type { Profile, ProfileRow } from "./program/profile.js";
export type { KernelSource } from "./runtime/kernels.js";
export type { Source } from "./runtime/read.js";
export { type DType, type NestedArray, type Tensor, type TypedArray, tensor } from "./tensor.js";
