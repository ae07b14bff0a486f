import type { VNode } from 'preact'
import { CommandLine } from '../parts/command.tsx'
import { Note } from '../parts/note.tsx'
import { whomToCall } from './explorer.tsx'

interface ValidatorProps {
  /** Of the present log, to begin with. */
  vkey: string
  contact: string | undefined
}

/** Receipts and bundles are read and verified by a script; the file never leaves the tab, and the node is not asked. */
export const ValidatorPage = ({ vkey, contact }: ValidatorProps): VNode => (
  <div class="validator">
    <p class="lead">
      A receipt or a proof bundle, checked in this tab: the file is not sent anywhere, and once this page is open the
      node is not asked for anything.
    </p>
    <noscript>
      <Note title="This takes JavaScript">
        <p>
          The check runs in your browser, which may not run scripts here. <code>aldis verify FILE</code> does the same.
        </p>
      </Note>
    </noscript>
    <form id="validator" class="part" data-contact={whomToCall(contact)} hidden>
      <div class="field">
        <label for="proof-key">Key of the log</label>
        <input
          id="proof-key"
          class="input"
          type="text"
          autoComplete="off"
          spellcheck={false}
          value={vkey}
          aria-describedby="proof-key-hint"
        />
        <p class="hint" id="proof-key-hint">
          As this node says. Put in the one that you pinned elsewhere: a file is as true as the key it is held against.
        </p>
      </div>
      <div class="field drop" id="drop">
        <label for="proof-file">Receipt or proof bundle</label>
        <input id="proof-file" class="input" type="file" />
        <p class="hint">Or drop it here. At most 16 MiB and 1,000 entries.</p>
      </div>
    </form>
    <div id="validated" role="status" />
    <CommandLine label="The independent check" command="aldis verify FILE --vkey log.vkey" />
  </div>
)
