import type { WholeDatabase } from '../db/open.ts'
import type { Clock } from '../kernel/clock.ts'
import { verifiedManifest } from './folder.ts'
import type { Manifest } from './manifest.ts'
import { contentsOf, type RestoreOptions, restore } from './refill.ts'

export interface Drilled {
  manifest: Manifest
  /** Seconds of work that would be lost if the live database were lost now: since the backup was made. */
  rpoSeconds: number
  /** Seconds from the verification's begin to a database that a node could start on. */
  rtoSeconds: number
}

export interface DrillOptions extends Omit<RestoreOptions, 'target'> {
  dir: string
  clock: Clock
  /** The database that is thrown away, once every file was verified. */
  open(): Promise<WholeDatabase>
}

/** A whole restore into a database that is thrown away after; throws at the first step that does not hold. */
export async function drill({ dir, clock, open, ...options }: DrillOptions): Promise<Drilled> {
  const begun = performance.now()
  const manifest = await verifiedManifest(dir, options.ended)
  const target = await open()
  await restore(contentsOf(dir, manifest), { ...options, target }).catch(async (error: unknown) => {
    await target.discard()
    throw error
  })
  const rtoSeconds = (performance.now() - begun) / 1_000
  const rpoSeconds = (clock().getTime() - Date.parse(manifest.made_at)) / 1_000
  await target.discard()
  return { manifest, rpoSeconds, rtoSeconds }
}
