namespace EventMail.Domain.Accounts;

public static class SaslPrep { public static bool TryPrepare(string s, out string prepared) { prepared = s; return true; } }
