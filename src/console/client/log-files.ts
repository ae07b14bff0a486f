/** The log's own files, from the address that every log of C2SP tlog-tiles has; each tile is fetched once. */
import type { ReadTile } from '../../provenance/proof.ts'
import { tilePath } from '../../provenance/tile.ts'

export interface LogFiles {
  checkpoint(): Promise<string>
  /** Undefined where the log has no witnesses. */
  policy(): Promise<string | undefined>
  tile: ReadTile
}

const TRIES = 4
const WAIT_MS = 500

export function logFiles(base: string): LogFiles {
  const tiles = new Map<string, Promise<Uint8Array>>()
  return {
    checkpoint: async () => (await asked(`${base}/checkpoint`)).text(),
    policy: async () => {
      const answer = await fetch(`${base}/policy`)
      return answer.status === 404 ? undefined : answer.text()
    },
    tile: (level, n, width) => {
      const path = `${base}/${tilePath(level, n, width)}`
      const known = tiles.get(path) ?? asked(path).then(async (answer) => new Uint8Array(await answer.arrayBuffer()))
      tiles.set(path, known)
      return known
    },
  }
}

/** Asked for again where too much was asked at once. */
async function asked(path: string): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await fetch(path)
    if (answer.ok) return answer
    if (answer.status !== 429 || tries === TRIES) throw new Error(`${path} was answered with ${answer.status}`)
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries))
  }
}
