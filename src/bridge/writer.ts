import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../kernel/errors.ts'
import { createMarker } from '../kernel/marker.ts'

/**
 * Writes the mirror of a home alone: throws `home-in-use` while a living process has it. What a killed one left is taken over. Answers
 * how to let go.
 */
export async function onlyWriter(home: string): Promise<() => Promise<void>> {
  mkdirSync(join(home, 'feeds'), { recursive: true, mode: 0o700 })
  const marker = createMarker(join(home, 'feeds', 'writer'))
  if (!(await marker.take()))
    throw new Refusal('home-in-use', { detail: 'aldis bridge or aldis sync runs here: it keeps the mirror' })
  return () => marker.release()
}
