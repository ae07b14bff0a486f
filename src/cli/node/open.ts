import { loadConfig } from '../../config.ts'
import { systemClock } from '../../kernel/clock.ts'
import { silentLog } from '../../kernel/log.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { Base, Parts } from '../../parts.ts'

/** Opens the parts without listeners or loops; a node that runs beside takes note within two seconds. */
export const withParts = <T>(work: (parts: Parts) => Promise<T>, env: NodeJS.ProcessEnv = process.env): Promise<T> =>
  withBase(async (base) => {
    const { openParts } = await partsOfNode()
    return work(await openParts(base, { onWake: () => {}, healthy: () => true }))
  }, env)

/** The same of a node that may not be able to open them all. */
export async function withBase<T>(work: (base: Base) => Promise<T>, env: NodeJS.ProcessEnv = process.env): Promise<T> {
  const { openBase } = await partsOfNode()
  const base = await openBase({ config: loadConfig(env), clock: systemClock, log: silentLog, small: 1 })
  try {
    return await work(base)
  } finally {
    await base.close()
  }
}

/** The whole node, which nobody reads who asks for help alone. */
export const partsOfNode = () => import('../../parts.ts')

export const withParticipants = <T>(work: (service: ParticipantService) => Promise<T>): Promise<T> =>
  withParts(({ participants }) => work(participants))
