// The family of quantization-aware training. The list is the ABI.
export {
  f32_fake_quantize, f32_fake_quantize_channels, f32_fake_quantize_grad, f32_range_quantization,
  f32_range_quantization_grad,
} from "./fakequantize";
