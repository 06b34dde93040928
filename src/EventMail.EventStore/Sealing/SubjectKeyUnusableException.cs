namespace EventMail.EventStore;

/// <summary>
/// A data subject has a key, and it cannot be used: its wrapping key is missing, or its row was changed. Nothing of the subject's is written
/// or read as if it were erased; it is again as before once the key is back.
/// </summary>
public sealed class SubjectKeyUnusableException(string subject, string fault)
    : Exception($"The personal fields of {subject} can neither be sealed nor opened: {fault}");
