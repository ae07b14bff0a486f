import type { Parts } from './parts.ts'
import { createRecordEraser } from './provenance/erase.ts'
import { createReadExpiry } from './provenance/expire-reads.ts'
import { createUploadForgetting } from './signals/forget-uploads.ts'

type Kept = Pick<Parts, 'clock' | 'keys' | 'logId' | 'provenance' | 'authority' | 'handshakes'> & {
  pools: Pick<Parts['pools'], 'admin'>
}

/** What is kept for its time and no longer, a portion of each at a time; answers how much went, and 0 once nothing is due. */
export function createRetention({ pools, clock, keys, logId, provenance, authority, handshakes }: Kept): {
  round(): Promise<number>
} {
  const reads = createReadExpiry({
    ...{ admin: pools.admin, clock, recorder: provenance, records: createRecordEraser({ keys, logId }) },
    policy() {
      const policy = authority.policy('retention')
      if (policy === undefined) throw new Error('the programme has no retention policy')
      return policy.body
    },
  })
  const forgetUploads = createUploadForgetting({ admin: pools.admin, clock })
  return {
    async round() {
      let named = 0
      let n = await handshakes.forget(clock())
      const failed: unknown[] = []
      for (const { participant_id, slug } of authority.participants()) {
        // What is wrong with one participant's rows keeps nothing of another's beyond its time.
        try {
          named += await reads.name(participant_id, slug)
          n += (await reads.remove(participant_id)) + (await forgetUploads(participant_id))
        } catch (error) {
          failed.push(error)
        }
      }
      if (named > 0) provenance.wake()
      if (failed.length > 0)
        throw failed.length === 1 ? failed[0] : new AggregateError(failed, 'what is over was not all removed')
      return n + named
    },
  }
}
