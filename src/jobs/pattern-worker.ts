/** The thread in which patterns of others are compiled and tried: see `createPatternChecker`. */
import { parentPort } from 'node:worker_threads'
import { checkPattern, type Pattern } from '../matching/pattern.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')

const WARM: Pattern = {
  ...{ kind: 're2', text: '(?:blue|red)\\s+kites?', language: 'en', case_sensitive: false, whole_word: true },
  ...{ must_match: ['a blue kite'], must_not_match: ['a sky'] },
}

// What a first pattern costs more than others would count against its time.
checkPattern(WARM)
port.on('message', (pattern: Pattern) => port.postMessage(checkPattern(pattern)))
port.postMessage('ready')
