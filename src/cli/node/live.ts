import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { connect } from '../../db/connect.ts'
import { atOneMoment } from '../../db/dump.ts'
import { placeOf, SOCKET_PORT } from '../../db/embedded-place.ts'
import { findLive } from '../../db/embedded-server.ts'
import type { ManifestLog } from '../../operations/manifest.ts'
import { type LogStanding, logStandings } from '../../provenance/standing.ts'

/** The logs of the settings' database if it runs and can be reached; nothing is started for it. */
export async function liveLogs({ databaseUrl, dataDir }: Config): Promise<LogStanding[] | undefined> {
  const url = databaseUrl ?? (await embeddedUrl(dataDir))
  if (url === undefined) return undefined
  const db = connect({ url, max: 1 })
  try {
    return await atOneMoment(db, logStandings)
  } catch {
    // A drill is run where the live database may be out of reach; its report says so.
    return undefined
  } finally {
    await db.destroy()
  }
}

/** Entries of the live logs that a backup lacks; what a closed log has behind its end is in the next one again. */
export function entriesMissing(
  live: readonly Pick<LogStanding, 'log_id' | 'size' | 'closed_size'>[],
  backup: readonly Pick<ManifestLog, 'log_id' | 'size'>[],
): bigint {
  const sizes = new Map(backup.map(({ log_id, size }) => [log_id, BigInt(size)]))
  return live.reduce((sum, { log_id, size, closed_size }) => {
    const end = closed_size !== null && closed_size < size ? closed_size : size
    const more = end - (sizes.get(log_id) ?? 0n)
    return more > 0n ? sum + more : sum
  }, 0n)
}

async function embeddedUrl(dataDir: string): Promise<string | undefined> {
  const live = await findLive((await placeOf(join(dataDir, 'postgres'))).pgdata)
  return live && `postgres://postgres@${encodeURIComponent(live.socketDir)}:${SOCKET_PORT}/aldis`
}
