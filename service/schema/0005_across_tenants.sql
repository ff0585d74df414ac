-- The three questions that are asked before it is known whose tenant is asking. Each is one narrow function that runs
-- with its owner's rights; the search path is fixed so that nobody's objects can stand in for ours.

CREATE FUNCTION find_login(login_email text)
RETURNS TABLE (user_id text, customer_id text, tier text, scope text, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT u.user_id, u.customer_id, c.tier, u.scope, u.password_hash
  FROM public.users u JOIN public.customers c ON c.customer_id = u.customer_id
  WHERE u.email = lower(login_email) AND c.status = 'active'
$$;

-- False when the e-mail address has an account already.
CREATE FUNCTION create_account(
  new_user_id text, new_customer_id text, company text, login_email text, new_password_hash text, new_tier text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  INSERT INTO public.customers (customer_id, name, email, tier)
  VALUES (new_customer_id, company, lower(login_email), new_tier);
  INSERT INTO public.users (user_id, customer_id, email, password_hash)
  VALUES (new_user_id, new_customer_id, lower(login_email), new_password_hash);
  RETURN true;
EXCEPTION
  WHEN unique_violation THEN RETURN false;  -- takes the customer's row back too
END
$$;

-- Whose key has this hash; notes that it was used.
CREATE FUNCTION use_api_key(hash bytea)
RETURNS TABLE (api_key_id text, customer_id text, tier text, scope text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE public.api_keys k SET last_used_at = now()
  FROM public.customers c
  WHERE k.key_hash = hash AND k.revoked_at IS NULL AND c.customer_id = k.customer_id AND c.status = 'active'
  RETURNING k.api_key_id, k.customer_id, c.tier, k.scope
$$;

REVOKE ALL ON FUNCTION find_login, create_account, use_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_login, create_account, use_api_key TO securebase_app;
