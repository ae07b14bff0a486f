import { loadConfig } from '../../config.ts'
import { systemClock } from '../../kernel/clock.ts'
import { silentLog } from '../../kernel/log.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { openBase, openParts, type Parts } from '../../parts.ts'

/** Opens the parts without listeners or loops; a node that runs beside takes note within two seconds. */
export async function withParts<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
  const base = await openBase({ config: loadConfig(process.env), clock: systemClock, log: silentLog, small: 1 })
  try {
    return await work(await openParts(base, { onWake: () => {}, healthy: () => true }))
  } finally {
    await base.close()
  }
}

export const withParticipants = <T>(work: (service: ParticipantService) => Promise<T>): Promise<T> =>
  withParts(({ participants }) => work(participants))
