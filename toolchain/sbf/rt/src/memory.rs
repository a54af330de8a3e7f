//! The C library's memory functions. The virtual machine's system calls do the work, but cost 10 compute units at least, so
//! short blocks are handled here. Every function has its C namesake's contract.

/// Longest block that is cheaper to copy or fill in a loop than by a system call.
const SHORT_COPY: usize = 24;
/// Longest block that is cheaper to compare in a loop than by a system call.
const SHORT_COMPARE: usize = 32;

unsafe extern "C" {
    fn sol_memcpy_(to: *mut u8, from: *const u8, bytes: u64);
    fn sol_memmove_(to: *mut u8, from: *const u8, bytes: u64);
    fn sol_memset_(to: *mut u8, value: u8, bytes: u64);
    fn sol_memcmp_(a: *const u8, b: *const u8, bytes: u64, result: *mut i32);
}

/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    // SAFETY: every access is below `bytes`.
    unsafe {
        if bytes > SHORT_COPY {
            sol_memcpy_(to, from, bytes as u64);
            return to;
        }
        let mut i = 0;
        while i + 8 <= bytes {
            to.add(i)
                .cast::<u64>()
                .write_unaligned(from.add(i).cast::<u64>().read_unaligned());
            i += 8;
        }
        while i < bytes {
            *to.add(i) = *from.add(i);
            i += 1;
        }
    }
    to
}

/// # Safety
/// As C's `memmove`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    if bytes != 0 {
        // SAFETY: the caller's promise.
        unsafe { sol_memmove_(to, from, bytes as u64) };
    }
    to
}

/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, bytes: usize) -> *mut u8 {
    // SAFETY: every access is below `bytes`.
    unsafe {
        if bytes > SHORT_COPY {
            sol_memset_(to, value as u8, bytes as u64);
            return to;
        }
        let mut i = 0;
        while i < bytes {
            *to.add(i) = value as u8;
            i += 1;
        }
    }
    to
}

/// # Safety
/// As C's `memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    // SAFETY: every access is below `bytes`.
    unsafe {
        if bytes > SHORT_COMPARE {
            let mut result = 0;
            sol_memcmp_(a, b, bytes as u64, &mut result);
            return result;
        }
        let mut i = 0;
        // Skips equal words.
        while i + 8 <= bytes {
            if a.add(i).cast::<u64>().read_unaligned() != b.add(i).cast::<u64>().read_unaligned() {
                break;
            }
            i += 8;
        }
        while i < bytes {
            let (x, y) = (*a.add(i), *b.add(i));
            if x != y {
                return i32::from(x) - i32::from(y);
            }
            i += 1;
        }
    }
    0
}

/// # Safety
/// As C's `bcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(a, b, bytes) }
}
