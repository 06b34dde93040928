namespace EventMail.Domain.Mailboxes;

/// <summary>RFC 9051 §6.4.6: +FLAGS, -FLAGS, FLAGS.</summary>
public enum StoreMode
{
    Add,
    Remove,
    Replace,
}
