import type { Parts } from './parts.ts'
import { createRecordEraser } from './provenance/erase.ts'
import { createReadExpiry } from './provenance/expire-reads.ts'
import { createUploadForgetting } from './signals/forget-uploads.ts'

/** What is kept for its time and no longer, a portion of each at a time; answers how much went, and 0 once nothing is due. */
export function createRetention({ pools, clock, keys, logId, provenance, authority, handshakes }: Parts): {
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
      for (const { participant_id, slug } of authority.participants()) {
        named += await reads.name(participant_id, slug)
        n += (await reads.remove(participant_id)) + (await forgetUploads(participant_id))
      }
      if (named > 0) provenance.wake()
      return n + named
    },
  }
}
