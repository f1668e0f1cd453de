//! Reads which thread-local variables an ELF object uses but does not define: those are the
//! `extern __shared__` arrays of the text.

/// Names of undefined thread-local symbols, in the order of the symbol table. `None` when the bytes
/// are not a 64-bit little-endian object.
pub fn undefined_thread_locals(object: &[u8]) -> Option<Vec<String>> {
    const SYMBOL_TABLE: u32 = 2;
    const THREAD_LOCAL: u8 = 6;
    let bytes = |at: usize, length: usize| object.get(at..at.checked_add(length)?);
    let u16_at = |at| Some(u16::from_le_bytes(bytes(at, 2)?.try_into().ok()?));
    let u32_at = |at| Some(u32::from_le_bytes(bytes(at, 4)?.try_into().ok()?));
    let u64_at = |at| usize::try_from(u64::from_le_bytes(bytes(at, 8)?.try_into().ok()?)).ok();
    if bytes(0, 6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = u64_at(0x28)?;
    let entry = usize::from(u16_at(0x3a)?);
    let count = usize::from(u16_at(0x3c)?);
    let section = |index: usize| table.checked_add(index.checked_mul(entry)?);
    let mut names = Vec::new();
    for index in 0..count {
        let header = section(index)?;
        if u32_at(header + 4)? != SYMBOL_TABLE {
            continue;
        }
        let (start, size) = (u64_at(header + 0x18)?, u64_at(header + 0x20)?);
        let strings = u64_at(section(u32_at(header + 0x28)? as usize)? + 0x18)?;
        for symbol in (start..start.checked_add(size)?).step_by(24) {
            let thread_local = bytes(symbol + 4, 1)?[0] & 0xf == THREAD_LOCAL;
            let undefined = u16_at(symbol + 6)? == 0;
            if !thread_local || !undefined {
                continue;
            }
            let name = strings.checked_add(u32_at(symbol)? as usize)?;
            let text = object.get(name..)?;
            let length = text.iter().position(|byte| *byte == 0)?;
            names.push(String::from_utf8_lossy(&text[..length]).into_owned());
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(undefined_thread_locals(b""), None);
        assert_eq!(undefined_thread_locals(b"\x7fELF\x02\x01"), None);
        assert_eq!(undefined_thread_locals(&[0xff; 4096]), None);
    }
}
