import type { Migration } from '../src/db/migrate.ts'
import { participants } from './0001-participants.ts'
import { provenance } from './0002-provenance.ts'
import { signals } from './0003-signals.ts'
import { storage } from './0004-storage.ts'
import { witness } from './0005-witness.ts'
import { rotation } from './0006-rotation.ts'
import { audit } from './0007-audit.ts'

/** In order, never edited once released, never removed; nothing is discovered. */
export const migrations: readonly Migration[] = [
  { name: '0001-participants', up: participants },
  { name: '0002-provenance', up: provenance },
  { name: '0003-signals', up: signals },
  { name: '0004-storage', up: storage },
  { name: '0005-witness', up: witness },
  { name: '0006-rotation', up: rotation },
  { name: '0007-audit', up: audit },
]
