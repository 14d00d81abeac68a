#[task(skip(password), skip_result)]
fn log_in(user: String, password: &str) -> Token {
    Token::new(user, password)
}
