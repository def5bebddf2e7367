// All families in one module: the file lanewise/kernels.wasm, the relaxed kernels, and the builds that tests compare.
export * from "./core";
export * from "./int16";
export * from "./int8";
export * from "./qat";
export * from "./sequence";
export * from "./sparse";
export * from "./stateful";
export * from "./tflite";
export * from "./train";
