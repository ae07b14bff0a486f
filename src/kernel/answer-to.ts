import type { ClientRequest, IncomingMessage } from 'node:http'

/**
 * The head of the answer. Rejects with the request's error, and with `ECONNRESET` where the connection ends with neither: Node closes one
 * whose server switches protocols (101) without an error, and neither a signal nor a timeout says anything of it afterwards.
 */
export const answerTo = (out: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    out
      .on('response', resolve)
      .on('error', reject)
      .on('close', () => reject(closed()))
  })

const closed = (): Error =>
  Object.assign(new Error('the connection was closed without an answer'), { code: 'ECONNRESET' })
