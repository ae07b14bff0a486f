import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openHome } from '../../../src/client/home.ts'
import type { Spec } from '../measure.ts'
import { ROOT } from '../root.ts'
import type { World } from '../world.ts'

const MAIN = join(ROOT, 'dist/src/cli/main.js')

/** A bridge that begins with an empty folder, until it has fetched, verified and indexed everything there is. */
export function firstSync(world: World): Spec {
  return {
    name: 'bridge.first-sync',
    what: 'a new bridge, a process of its own, until every signal is fetched, its signature verified, and found by look-ups',
    unit: 's',
    ...{ target: 60, less: true, rounds: 3, warmups: 0 },
    measured: async (timed) => (await timed(() => syncOnce(world))).seconds,
  }
}

async function syncOnce(world: World): Promise<void> {
  const dir = mkdtempSync(join(world.dir, 'bridge-'))
  const { enrolled } = world.members.at(-1) ?? {}
  if (enrolled === undefined) throw new Error('a member')
  const membership = { ...enrolled.membership, node: world.node().addresses.partner }
  openHome(dir).enrolled({ ...enrolled, membership })
  const args = [MAIN, '--home', dir, '--json', 'bridge', '--listen', '127.0.0.1:0', '--interval', '86400']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the bridge ended with ${code}`)))
      createInterface({ input: child.stdout }).on('line', (line) => {
        const told = JSON.parse(line) as { what: string; code?: string }
        if (told.what === 'synced') resolve()
        if (told.what === 'sync-failed') reject(new Error(`the bridge could not synchronise: ${told.code}`))
      })
    })
  } finally {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
}
