// What importing a .wasm file gives on edge runtimes.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
