/** WebAssembly as far as it is used here: the compiler's library without a browser does not declare it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

interface Api {
  Memory: new (size: { initial: number }) => WasmMemory
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: object }
}

const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: Api }
const PAGE = 65_536

/** Room for so many bytes, all zero. */
export const makeMemory = (bytes: number): WasmMemory =>
  new wasm.Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE)) })

/** A small module, compiled here and now. `Exports` is what its text says that it exports. */
export const instantiate = <Exports extends object>(bytes: Uint8Array, imports: object): Exports =>
  new wasm.Instance(new wasm.Module(bytes), imports).exports as Exports
