import { isFree } from '../../src/cli/demo/run.ts'

/** Outside of what the system gives to outgoing connections: it is still free when its server begins later, or comes back. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (await isFree(port)) return port
  }
}
