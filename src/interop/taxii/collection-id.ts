import type { Uuid } from '../../kernel/ids.ts'
import { sha256Hex } from '../../kernel/sha256.ts'
import { versionFour } from '../stix/ids.ts'

/** Of the form that the protocol demands; the node and each bridge derive it alike. */
export const collectionId = (feed: string): Uuid => versionFour(sha256Hex(`aldis-taxii/1\0collection\0${feed}`))
