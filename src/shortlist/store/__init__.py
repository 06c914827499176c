"""Bytes: reading pools, filtering and typing their rows, writing choices back, result folders.

The interface, by module (none is imported here, so that `import shortlist` stays light):

`read.read(data, roles, *, where, drop_bad, missing, format, work, memory) -> Loaded`
    files, globs, `-` or one Arrow-exportable frame to a pool.
`roles.Roles(text, id, vector, score, group, cost, tags, holdout)`, `roles.SignalInfo`
    what columns are for; None infers, '' or () is none.
`loaded.Loaded`: `.pool .ids .set_aside .signals .ignored .rejected .filtered .read .digest .bytes .notes`,
    `.named(role) -> names`, `.row_place(i) -> 'file, row'`, `.find(id) -> position | None`.
`write.write_rows(path, loaded, at, added)`, `write.write_rejected(path, loaded)`
    rows unchanged plus columns; the format is that of the file name.
`folder.replacing(path) -> context of a staging Path`
    a result folder that appears whole or not at all.
"""
