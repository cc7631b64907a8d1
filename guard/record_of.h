// What became of a request, as a row of the audit log.
#pragma once

#include "base/result.h"
#include "guard/audit/audit_log.h"
#include "guard/request.h"
#include "model/pipeline.h"

namespace glyphward::guard {

// What screening found: the row of a request that nothing was done for yet (route "none", no
// outcome).
Record record_of(const Screened& screened);

// The same for a request that a model shall answer, with the model and what is asked of it.
Record record_of(const Screened& screened, const model::ModelInfo& info);

// Appends a row; Unavailable if the log cannot be written. Where AuditLog::append() may be called.
Result<Record> append_row(AuditLog& audit, Record record);

// Records what screening a text (screen_text) found, for which no picture is made: the row as
// appended. Unavailable if the log cannot be written. Where AuditLog::append() may be called.
Result<Record> record_moderation(const Screened& screened, AuditLog& audit);

}  // namespace glyphward::guard
