import type { Migration } from '../src/db/migrate.ts'
import { participants } from './0001-participants.ts'
import { provenance } from './0002-provenance.ts'
import { signals } from './0003-signals.ts'
import { storage } from './0004-storage.ts'
import { witness } from './0005-witness.ts'
import { rotation } from './0006-rotation.ts'
import { audit } from './0007-audit.ts'
import { erasure } from './0008-erasure.ts'
import { oprf } from './0009-oprf.ts'
import { sealed } from './0010-sealed.ts'
import { auditedFeeds } from './0011-audited-feeds.ts'
import { networks } from './0012-networks.ts'
import { review } from './0013-review.ts'
import { feedback } from './0014-feedback.ts'
import { readRetention } from './0015-read-retention.ts'
import { session } from './0016-session.ts'
import { queue } from './0017-queue.ts'
import { patterns } from './0018-patterns.ts'

/** In order, never edited once released, never removed; nothing is discovered. */
export const migrations: readonly Migration[] = [
  { name: '0001-participants', up: participants },
  { name: '0002-provenance', up: provenance },
  { name: '0003-signals', up: signals },
  { name: '0004-storage', up: storage },
  { name: '0005-witness', up: witness },
  { name: '0006-rotation', up: rotation },
  { name: '0007-audit', up: audit },
  { name: '0008-erasure', up: erasure },
  { name: '0009-oprf', up: oprf },
  { name: '0010-sealed', up: sealed },
  { name: '0011-audited-feeds', up: auditedFeeds },
  { name: '0012-networks', up: networks },
  { name: '0013-review', up: review },
  { name: '0014-feedback', up: feedback },
  { name: '0015-read-retention', up: readRetention },
  { name: '0016-session', up: session },
  { name: '0017-queue', up: queue },
  { name: '0018-patterns', up: patterns },
]
