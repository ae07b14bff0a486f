import type { VNode } from 'preact'
import { Icon } from './icon.tsx'

/** A command for a terminal: what takes a signature is done where the key is. */
export const CommandLine = ({ label, command }: { label: string; command: string }): VNode => (
  <div class="command">
    <span class="command-label">{label}</span>
    <code>{command}</code>
    <button type="button" class="copy" data-copy={command} aria-label={`Copy: ${label}`} title="Copy" hidden>
      <Icon name="copy" />
    </button>
  </div>
)
