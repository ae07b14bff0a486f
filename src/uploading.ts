import { createLoop, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import { participantUri } from './participants/schema.ts'
import type { Parts } from './parts.ts'
import type { SignalService } from './signals/service.ts'
import { createUploadJobs, type UploadJobs } from './signals/upload-jobs.ts'

/** Somebody looks at how far it is. */
const IDLE_MS = 1_000

export interface Uploading {
  uploads: UploadJobs
  loop: Loop
}

/** Uploads that go on after their sender has gone, by whoever has that credential still. */
export function createUploading(parts: Parts, signals: Pick<SignalService, 'submit'>, log: Log): Uploading {
  const { pools, clock, programme, authority } = parts
  const uploads = createUploadJobs({
    ...{ db: pools.app, projector: pools.projector, clock, signals },
    submitter(participant, credential) {
      const found = authority.credentials().find((one) => one.credential === credential)
      if (found?.participant !== participant || found.status !== 'active' || found.participant_status !== 'active')
        return undefined
      const { slug } = found
      return found.not_after > clock() ? { participant, slug, credential, uri: uriOf(slug) } : undefined
    },
    wake: () => loop.wake(),
  })
  const uriOf = (slug: string): string => participantUri(programme.trust_domain, slug)
  const loop = createLoop({
    ...{ idleMs: IDLE_MS, round: async () => (await uploads.round()) > 0 },
    onError: (error) => log.error({ name: 'uploads', error }, 'a loop failed'),
  })
  return { uploads, loop }
}
